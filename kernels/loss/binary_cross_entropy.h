#pragma once

#include "kernels/types.h"

namespace karyon::kernels {

/// Mean binary cross-entropy from logits x against t in [0, 1], in its stable form:
///
///   loss = mean(max(x, 0) - x t + log(1 + exp(-|x|)))
Cost binary_cross_entropy_cost(std::int64_t count, DType);

namespace cpu {

/// logits f32 [count], target u8 or f32 [count] -> loss f32 [1]; the sum is taken in double, in a fixed order.
void binary_cross_entropy_forward(Stream&, std::int64_t count, In logits, In target, Out loss);
/// dlogits = dloss[0] * (sigmoid(x) - t) / count.
void binary_cross_entropy_backward(Stream&, std::int64_t count, In logits, In target, In dloss, Out dlogits);

}  // namespace cpu

namespace gpu {

/// As their cpu counterparts, all arrays on the device; sums of up to 16 pixels are taken in f32, further ones in
/// double.
void binary_cross_entropy_forward(Stream&, std::int64_t count, In logits, In target, Out loss);
void binary_cross_entropy_backward(Stream&, std::int64_t count, In logits, In target, In dloss, Out dlogits);

}  // namespace gpu
}  // namespace karyon::kernels
