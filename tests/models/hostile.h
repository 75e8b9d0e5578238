#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <fstream>
#include <string>

#include "models/import/checkpoint.h"
#include "tests/tensor/temporary_folder.h"

namespace karyon::test {

inline std::string bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// The text of the Error that opening these bytes gives, and that reading every tensor gives; empty where there is
/// none.
inline std::string failure_of(const std::string& bytes) {
    const TemporaryFolder folder;
    const auto path = folder / "hostile";
    std::ofstream(path, std::ios::binary) << bytes;
    try {
        const Checkpoint checkpoint = Checkpoint::open(path);
        for (const CheckpointTensor& tensor : checkpoint.tensors()) {
            // What a file can hold bounds what is allocated for it.
            REQUIRE(element_count(tensor.shape) <= std::int64_t(1100 * bytes.size()));
            std::vector<float> values(std::size_t(element_count(tensor.shape)));
            tensor.read(values);
        }
        return {};
    } catch (const Error& error) {
        const std::string text = error.what();
        CHECK_MESSAGE(text.find(path.string()) != std::string::npos, text);
        return text;
    }
}

/// Opening these bytes fails with a text that holds `part`.
inline void check_refused(const std::string& bytes, const std::string& part) {
    const std::string text = failure_of(bytes);
    CHECK_MESSAGE(text.find(part) != std::string::npos, "expected \"", part, "\", got: ", text);
}

inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

/// Little-endian.
template <typename T>
std::string raw(T value) {
    return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

}  // namespace karyon::test
