#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kernels/bfloat16.h"
#include "kernels/simd.h"

namespace karyon::kernels::cpu {

/// to[i, j] = bfloat16(from[i, j]) for `count` of every `from_step` and `to_step` elements, `rows` times. By the
/// processor's own instruction where it has AVX512-BF16: one for 16 elements, which the compiler makes a dozen of. That
/// instruction takes subnormal numbers for zeros.
void round_rows(std::int64_t rows, int count, const float* from, std::ptrdiff_t from_step, bfloat16* to,
                std::ptrdiff_t to_step);

/// For a lambda inside a KARYON_SIMD function: `[=](int i) KARYON_INLINE_LAMBDA { ... }` is compiled as the function
/// is.
#define KARYON_INLINE_LAMBDA __attribute__((always_inline))

/// to[i] = value(i), a float, for 0 ... count - 1, vectorised: value may read to[i] and write elsewhere, but elements
/// do not depend on each other. bf16 are rounded some at a time, while they are in the cache.
template <typename T, typename Value>
KARYON_INLINE void write_each(std::int64_t count, T* to, Value value) {
    if constexpr (std::is_same_v<T, float>) {
#pragma GCC ivdep
        for (std::int64_t i = 0; i < count; ++i) to[i] = value(i);
    } else {
        constexpr std::int64_t most = 1024;
        float values[most];
        for (std::int64_t begin = 0; begin < count; begin += most) {
            const std::int64_t size = std::min(most, count - begin);
#pragma GCC ivdep
            for (std::int64_t i = 0; i < size; ++i) values[i] = value(begin + i);
            round_rows(1, int(size), values, 0, to + begin, 0);
        }
    }
}

}  // namespace karyon::kernels::cpu
