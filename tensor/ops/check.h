#pragma once

#include <string_view>

#include "tensor/tensor.h"

namespace karyon {

inline void require_rank(std::string_view op, std::string_view name, const Tensor& tensor, std::size_t rank) {
    if (!tensor.defined()) throw Error(op, "expected {} of rank {}, got an undefined tensor", name, rank);
    if (tensor.shape().size() != rank)
        throw Error(op, "expected {} of rank {}, got shape {}", name, rank, to_string(tensor.shape()));
}

inline void require_equal(std::string_view op, std::string_view what, std::int64_t got, std::int64_t expected) {
    if (got != expected) throw Error(op, "expected {} {}, got {}", what, expected, got);
}

inline void require_shape(std::string_view op, std::string_view name, const Tensor& tensor, const Shape& shape) {
    if (!tensor.defined() || tensor.shape() != shape)
        throw Error(op, "expected {} of shape {}, got {}", name, to_string(shape), to_string(tensor.shape()));
}

}  // namespace karyon
