#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "data/image.h"
#include "kernels/error.h"
#include "tests/tensor/temporary_folder.h"

namespace karyon::test {

namespace fs = std::filesystem;

inline std::size_t file_count(const TemporaryFolder& folder) {
    return std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator());
}

inline std::string read_bytes(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_bytes(const fs::path& path, const std::string& bytes) {
    // Some file systems flush a file to the disk when it replaces its old content: thousands of times that would be
    // slow.
    fs::remove(path);
    std::ofstream(path, std::ios::binary) << bytes;
}

/// The text of the Error that the call throws; fails the test when it throws none.
inline std::string error_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.what();
    }
    FAIL_CHECK("expected a karyon::Error");
    return {};
}

/// The call throws an Error whose text holds all parts.
inline void check_error(const std::function<void()>& call, const std::vector<std::string>& parts) {
    const std::string text = error_of(call);
    for (const std::string& part : parts) {
        CAPTURE(text);
        CAPTURE(part);
        CHECK(text.find(part) != text.npos);
    }
}

/// Reproducible pixels: a small linear congruential generator.
inline std::vector<std::uint8_t> noise(std::size_t count, std::uint32_t seed = 1) {
    std::vector<std::uint8_t> values(count);
    for (std::uint8_t& value : values) value = std::uint8_t((seed = seed * 1664525u + 1013904223u) >> 24);
    return values;
}

inline Image noise_image(int width, int height) {
    Image image(width, height);
    image.pixels = noise(image.pixels.size());
    return image;
}

/// Every shorter beginning of a file, cut at `steps` places, is refused by the reader.
template <typename Read>
void check_all_truncations(const fs::path& path, Read read, std::size_t steps = 40) {
    const std::string whole = read_bytes(path);
    REQUIRE_NOTHROW(read(path));
    const fs::path cut = path.string() + ".cut";
    for (std::size_t i = 0; i < steps; ++i) {
        const std::size_t length = whole.size() * i / steps;
        CAPTURE(length);
        write_bytes(cut, whole.substr(0, length));
        check_error([&] { read(cut); }, {cut.string(), "expected", "got"});
    }
    write_bytes(cut, whole.substr(0, whole.size() - 1));
    check_error([&] { read(cut); }, {cut.string(), "expected", "got"});
    fs::remove(cut);
}

}  // namespace karyon::test
