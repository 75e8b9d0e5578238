#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/bfloat16.h"
#include "kernels/elementwise/activation.h"

namespace karyon::kernels::cpu {

/// y = f(y) + residual (null: 0) on the calling thread, for results that are still in its cache.
void finish(Activation, std::int64_t count, const float* residual, float* y);
void finish(Activation, std::int64_t count, const bfloat16* residual, bfloat16* y);

/// y = f(y) for `channels` of every `step` elements, `pixels` times.
void finish_pixels(Activation, int pixels, std::ptrdiff_t step, int channels, float* y);

}  // namespace karyon::kernels::cpu
