#pragma once

#include "kernels/types.h"

namespace karyon::kernels {

/// Calls body with the typed pointers of a cast that exists; throws Error for one that does not.
template <typename Body>
void with_cast_types(In x, Out y, Body body) {
    const auto is = [&](DType from, DType to) { return x.dtype() == from && y.dtype() == to; };
    if (is(DType::f32, DType::bf16)) return body(x.as<float>(), y.as<bfloat16>());
    if (is(DType::bf16, DType::f32)) return body(x.as<bfloat16>(), y.as<float>());
    if (is(DType::u8, DType::f32)) return body(x.as<std::uint8_t>(), y.as<float>());
    throw Error("cast", "expected f32 to bf16, bf16 to f32 or u8 to f32, got {} to {}", name_of(x.dtype()),
                name_of(y.dtype()));
}

}  // namespace karyon::kernels
