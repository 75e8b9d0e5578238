#pragma once

#include <string_view>

#include "kernels/types.h"

namespace karyon::kernels {

/// Calls body with the target as `const float*` or `const std::uint8_t*`, the two forms a mask may have.
template <typename Body>
void with_target(std::string_view op, In target, Body body) {
    switch (target.dtype()) {
        case DType::f32:
            return body(target.as<float>());
        case DType::u8:
            return body(target.as<std::uint8_t>());
        default:
            throw Error(op, "expected a target of u8 or f32 elements, got {}", karyon::name_of(target.dtype()));
    }
}

}  // namespace karyon::kernels
