#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "models/import/published_encoder.h"
#include "tensor/safetensors.h"
#include "tests/models/hashed.h"

namespace karyon::test {

/// One file of tests/reference/published.py: the names and shapes that a library saves, what it computes.
class PublishedFixture {
  public:
    explicit PublishedFixture(const std::string& name)
        : path_(KARYON_SOURCE_DIR "/tests/reference/data/published_" + name + ".safetensors"),
          file_(SafetensorsFile::open(path_)),
          description_(nlohmann::ordered_json::parse(file_.metadata().at("published"))) {}

    std::string source() const { return description_["options"]["source"]; }
    std::string member() const { return description_["options"]["member"]; }
    int padding_size() const { return description_["options"].value("padding_size", 0); }
    const SafetensorsFile& file() const { return file_; }

    std::vector<float> values(const std::string& name) const {
        const auto bytes = file_.bytes(name);
        std::vector<float> result(bytes.size() / sizeof(float));
        std::memcpy(result.data(), bytes.data(), bytes.size());
        return result;
    }

    /// The checkpoint that the library would have written, with values from the names.
    Checkpoint checkpoint(const std::filesystem::path& path, const std::string& prefix = "") const {
        std::vector<CheckpointTensor> tensors;
        for (const auto& [name, sizes] : description_["tensors"].items()) {
            const Shape shape = sizes.get<Shape>();
            const auto read = [key = name, shape](std::span<float> to) { fill(key, shape, to); };
            tensors.push_back({prefix + name, shape.empty() ? ElementType::i64 : ElementType::f32, shape, read});
        }
        return Checkpoint(path, "memory", std::move(tensors));
    }

  private:
    static void fill(const std::string& name, const Shape& shape, std::span<float> to) {
        const std::string leaf = name.substr(name.find_last_of("./") + 1);
        if (shape.size() == 1) {
            if (leaf.ends_with("_mean")) return fill_hashed(to, name, -0.2, 0.2);
            if (leaf == "bias" || leaf == "beta") return fill_hashed(to, name, -0.5, 0.5);
            return fill_hashed(to, name, 0.5, 1.5);
        }
        const bool keras = leaf.ends_with("kernel");
        const auto fan_in = leaf == "depthwise_kernel" ? shape[0] * shape[1]
                                                       : element_count(shape) / (keras ? shape.back() : shape.front());
        const double bound = std::sqrt(4.5 / double(fan_in));
        fill_hashed(to, name, -bound, bound);
    }

    std::string path_;
    SafetensorsFile file_;
    nlohmann::ordered_json description_;
};

}  // namespace karyon::test
