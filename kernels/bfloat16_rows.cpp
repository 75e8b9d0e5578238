#include "kernels/bfloat16_rows.h"

#include "kernels/conv/conv2d.h"
#include "kernels/simd.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

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

#if defined(__x86_64__)
#define KARYON_NATIVE_BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))

constexpr int lanes = 16;

/// Of the elements behind the last whole vector.
__mmask16 mask_of_rest(int count) { return static_cast<__mmask16>((1u << (count % lanes)) - 1); }

KARYON_NATIVE_BF16 void round_natively(std::int64_t rows, int count, const float* from, std::ptrdiff_t from_step,
                                       bfloat16* to, std::ptrdiff_t to_step) {
    const __mmask16 rest = mask_of_rest(count);
    for (std::int64_t row = 0; row < rows; ++row, from += from_step, to += to_step) {
        int i = 0;
        for (; i + lanes <= count; i += lanes)
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i),
                                reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(_mm512_loadu_ps(from + i))));
        if (rest)
            _mm256_mask_storeu_epi16(
                to + i, rest, reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(rest, from + i))));
    }
}

/// bfloat16(values * scales); the forms with a mask, since GCC warns of what the others leave unset on purpose.
KARYON_NATIVE_BF16 inline __m256i scaled(__m256i values, __m512 scales) {
    constexpr __mmask16 all = 0xffff;
    const __m512i bits = _mm512_maskz_slli_epi32(all, _mm512_maskz_cvtepu16_epi32(all, values), 16);
    return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(_mm512_mul_ps(_mm512_castsi512_ps(bits), scales)));
}
KARYON_NATIVE_BF16 void scale_natively(std::int64_t rows, int count, const bfloat16* from, const float* scale,
                                       bfloat16* to) {
    const __mmask16 rest = mask_of_rest(count);
    for (std::int64_t row = 0; row < rows; ++row, from += count, to += count) {
        int i = 0;
        for (; i + lanes <= count; i += lanes)
            _mm256_storeu_si256(
                reinterpret_cast<__m256i*>(to + i),
                scaled(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i)), _mm512_loadu_ps(scale + i)));
        if (rest)
            _mm256_mask_storeu_epi16(
                to + i, rest, scaled(_mm256_maskz_loadu_epi16(rest, from + i), _mm512_maskz_loadu_ps(rest, scale + i)));
    }
}

bool is_native() {
    static const bool native = has_bf16();
    return native;
}
#endif

}  // namespace

void round_rows(std::int64_t rows, int count, const float* from, std::ptrdiff_t from_step, bfloat16* to,
                std::ptrdiff_t to_step) {
#if defined(__x86_64__)
    if (is_native()) return round_natively(rows, count, from, from_step, to, to_step);
#endif
    round_plainly(rows, count, from, from_step, to, to_step);
}

void scale_rows(std::int64_t rows, int count, const bfloat16* from, const float* scale, bfloat16* to) {
#if defined(__x86_64__)
    if (is_native()) return scale_natively(rows, count, from, scale, to);
#endif
    scale_plainly(rows, count, from, scale, to);
}

}  // namespace karyon::kernels::cpu
