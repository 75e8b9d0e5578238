#pragma once

#include "kernels/types.h"

namespace karyon::kernels {

/// Calls body with the element type, f32 or bf16: `with_float_type("add", y.dtype(), [&]<typename T>() { ... })`.
template <typename Body>
void with_float_type(const char* op, DType type, Body body) {
    switch (type) {
        case DType::f32:
            return body.template operator()<float>();
        case DType::bf16:
            return body.template operator()<bfloat16>();
        default:
            throw Error(op, "expected f32 or bf16 elements, got {}", name_of(type));
    }
}

}  // namespace karyon::kernels
