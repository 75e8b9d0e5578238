#pragma once

#include "kernels/types.h"

namespace karyon::kernels {

/// min(max(x, 0), 6), the activation of EfficientNet-Lite. On its own, since what fuses batch norm with its activation
/// would be compiled once more for it. The derivative is 0 at both bends, and is taken from y, which the next layer
/// keeps anyway.

/// Of one forward pass over `count` elements.
Cost relu6_cost(std::int64_t count, DType);

namespace cpu {

/// x and y may be the same buffer.
void relu6_forward(Stream&, std::int64_t count, In x, Out y);
/// dx = dy where 0 < y < 6, else 0; dy and dx may be the same buffer.
void relu6_backward(Stream&, std::int64_t count, In y, In dy, Out dx);

}  // namespace cpu

namespace gpu {

/// As their cpu counterparts; f32 and bf16, the same bits.
void relu6_forward(Stream&, std::int64_t count, In x, Out y);
void relu6_backward(Stream&, std::int64_t count, In y, In dy, Out dx);

}  // namespace gpu
}  // namespace karyon::kernels
