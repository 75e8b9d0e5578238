#pragma once

#include "kernels/types.h"

namespace karyon::kernels {

/// Of counting `count` pixels against a mask of bytes.
Cost confusion_cost(std::int64_t count);

namespace cpu {

/// Compares the pixels whose logit f32 [count] is `threshold` or more with those whose target u8 or f32 [count] is 0.5
/// or more. counts i32 [4] = true positives, false positives, false negatives, true negatives, of up to 2^31 - 1
/// pixels; dice f32 [1] = 2 TP / (2 TP + FP + FN), 1 where that is 0 / 0; null: not wanted. The logit of a probability
/// p is log(p / (1 - p)).
void confusion(Stream&, std::int64_t count, float threshold, In logits, In target, Out counts, Out dice);

}  // namespace cpu

namespace gpu {

/// As cpu::confusion, all arrays on the device, the same bits.
void confusion(Stream&, std::int64_t count, float threshold, In logits, In target, Out counts, Out dice);

}  // namespace gpu
}  // namespace karyon::kernels
