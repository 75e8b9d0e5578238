#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/bfloat16.h"
#include "kernels/elementwise/activation.h"

namespace karyon::kernels::cpu {

/// y = f(y) + residual (null: 0) on the calling thread, for results that are still in its cache.
void finish(Activation, std::int64_t count, const float* residual, float* y);
void finish(Activation, std::int64_t count, const bfloat16* residual, bfloat16* y);

/// to = bfloat16(f(from)) for `count` of every `to_step` elements, `rows` times. `from` [rows, count] is overwritten.
void finish_rows(Activation, std::int64_t rows, int count, float* from, bfloat16* to, std::ptrdiff_t to_step);

/// y = f(y) for `channels` of every `step` elements, `pixels` times.
void finish_pixels(Activation, int pixels, std::ptrdiff_t step, int channels, float* y);

}  // namespace karyon::kernels::cpu
