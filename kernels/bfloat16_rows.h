#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/bfloat16.h"

namespace karyon::kernels::cpu {

/// to[i, j] = bfloat16(from[i, j]) for `count` of every `from_step` and `to_step` elements, `rows` times. By the
/// processor's own instruction where it has AVX512-BF16: one for 16 elements, which the compiler makes a dozen of. That
/// instruction takes subnormal numbers for zeros.
void round_rows(std::int64_t rows, int count, const float* from, std::ptrdiff_t from_step, bfloat16* to,
                std::ptrdiff_t to_step);

/// to[i, j] = bfloat16(from[i, j] * scale[j]), [rows, count], rounded as by round_rows.
void scale_rows(std::int64_t rows, int count, const bfloat16* from, const float* scale, bfloat16* to);

/// to[i, j] = bfloat16(silu(from[i, j])), the rest as in round_rows; T is float, or bfloat16 and `from` then may be
/// `to`. Before it is rounded the value is within 4e-6 of itself where the processor has AVX512-BF16: a 250th of what
/// rounding may change.
template <typename T>
void silu_rows(std::int64_t rows, int count, const T* from, std::ptrdiff_t from_step, bfloat16* to,
               std::ptrdiff_t to_step);

}  // namespace karyon::kernels::cpu
