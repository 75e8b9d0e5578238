#include "kernels/bfloat16_rows.h"

#include "kernels/bfloat16_native.h"
#include "kernels/conv/conv2d.h"
#include "kernels/elementwise/activation_math.h"

namespace karyon::kernels::cpu {
namespace {

KARYON_SIMD void round_plainly(std::int64_t rows, int count, const float* from, std::ptrdiff_t from_step, bfloat16* to,
                               std::ptrdiff_t to_step) {
    for (std::int64_t row = 0; row < rows; ++row, from += from_step, to += to_step)
#pragma GCC ivdep
        for (int i = 0; i < count; ++i) to[i] = bfloat16(from[i]);
}

KARYON_SIMD void scale_plainly(std::int64_t rows, int count, const bfloat16* from, const float* scale, bfloat16* to) {
    for (std::int64_t row = 0; row < rows; ++row, from += count, to += count)
#pragma GCC ivdep
        for (int i = 0; i < count; ++i) to[i] = bfloat16(float(from[i]) * scale[i]);
}

template <typename T>
KARYON_SIMD void silu_plainly(std::int64_t rows, int count, const T* from, std::ptrdiff_t from_step, bfloat16* to,
                              std::ptrdiff_t to_step) {
    for (std::int64_t row = 0; row < rows; ++row, from += from_step, to += to_step)
#pragma GCC ivdep
        for (int i = 0; i < count; ++i) to[i] = bfloat16(activate<Activation::silu>(float(from[i])));
}

#if defined(__x86_64__)
using namespace native;

/// to = function(from, column, mask) for every vector of 16 columns, the last one with a mask.
template <typename T, typename Function>
KARYON_NATIVE_BF16 void map_rows(std::int64_t rows, int count, const T* from, std::ptrdiff_t from_step, bfloat16* to,
                                 std::ptrdiff_t to_step, const Function& function) {
    const __mmask16 rest = mask_of_rest(count);
    for (std::int64_t row = 0; row < rows; ++row, from += from_step, to += to_step) {
        int i = 0;
        for (; i + lanes <= count; i += lanes) store(to + i, all, function(load(from + i, all), i, all));
        if (rest) store(to + i, rest, function(load(from + i, rest), i, rest));
    }
}

struct Round {
    KARYON_NATIVE_BF16 __m512 operator()(__m512 x, int, __mmask16) const { return x; }
};

struct Scale {
    const float* scale;
    KARYON_NATIVE_BF16 __m512 operator()(__m512 x, int i, __mmask16 mask) const { return x * load(scale + i, mask); }
};

struct Silu {
    KARYON_NATIVE_BF16 __m512 operator()(__m512 x, int, __mmask16) const { return Sigmoid(x).silu(); }
};
#endif

}  // namespace

void round_rows(std::int64_t rows, int count, const float* from, std::ptrdiff_t from_step, bfloat16* to,
                std::ptrdiff_t to_step) {
#if defined(__x86_64__)
    if (has_bf16()) return map_rows(rows, count, from, from_step, to, to_step, Round());
#endif
    round_plainly(rows, count, from, from_step, to, to_step);
}

void scale_rows(std::int64_t rows, int count, const bfloat16* from, const float* scale, bfloat16* to) {
#if defined(__x86_64__)
    if (has_bf16()) return map_rows(rows, count, from, count, to, count, Scale{scale});
#endif
    scale_plainly(rows, count, from, scale, to);
}

template <typename T>
void silu_rows(std::int64_t rows, int count, const T* from, std::ptrdiff_t from_step, bfloat16* to,
               std::ptrdiff_t to_step) {
#if defined(__x86_64__)
    if (has_bf16()) return map_rows(rows, count, from, from_step, to, to_step, Silu());
#endif
    silu_plainly(rows, count, from, from_step, to, to_step);
}
template void silu_rows(std::int64_t, int, const float*, std::ptrdiff_t, bfloat16*, std::ptrdiff_t);
template void silu_rows(std::int64_t, int, const bfloat16*, std::ptrdiff_t, bfloat16*, std::ptrdiff_t);

}  // namespace karyon::kernels::cpu
