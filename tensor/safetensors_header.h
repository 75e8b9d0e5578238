#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/safetensors.h"

namespace karyon {

/// An element type as safetensors names it. `dtype` is empty where karyon holds no such tensors.
struct SafetensorsType {
    std::string_view name;
    std::size_t size = 0;
    std::optional<DType> dtype;
};

/// Null where the name is unknown.
const SafetensorsType* find_safetensors_type(std::string_view name);
const SafetensorsType& safetensors_type(DType dtype);

/// Elements times `element_size`; empty when a dimension is negative or the product passes 2^63 - 1.
std::optional<std::size_t> byte_count(const std::vector<std::int64_t>& shape, std::size_t element_size);

/// One tensor of the header, its fields checked against each other but not yet against the file.
struct SafetensorsDeclaration {
    std::string name;
    const SafetensorsType* type = nullptr;
    std::vector<std::int64_t> shape;
    std::size_t begin = 0, end = 0;
};

struct SafetensorsHeader {
    std::vector<SafetensorsDeclaration> tensors;  ///< in the order of the data
    Metadata metadata;
};

/// Parses the JSON in one pass without building it, so that memory follows the number of tensors, not the nesting; then
/// checks that the tensors tile [0, data_size). `file` is for the text of the Error it throws.
SafetensorsHeader parse_safetensors_header(const std::string& file, std::string_view json, std::size_t data_size);

}  // namespace karyon
