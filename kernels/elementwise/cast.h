#pragma once

#include "kernels/types.h"

namespace karyon::kernels {

/// Of converting `count` elements.
Cost cast_cost(std::int64_t count, DType from, DType to);

namespace cpu {

/// y = x in y's type: f32 to bf16 (to nearest, ties to even), bf16 to f32, u8 to f32. Throws Error for other pairs.
void cast(Stream&, std::int64_t count, In x, Out y);

}  // namespace cpu

namespace gpu {

/// As cpu::cast, the same bits.
void cast(Stream&, std::int64_t count, In x, Out y);

}  // namespace gpu
}  // namespace karyon::kernels
