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

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16"))) void round_natively(
    std::int64_t rows, int count, const float* from, std::ptrdiff_t from_step, bfloat16* to, std::ptrdiff_t to_step) {
    constexpr int lanes = 16;
    const auto rest = static_cast<__mmask16>((1u << (count % lanes)) - 1);
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
#endif

}  // namespace

void round_rows(std::int64_t rows, int count, const float* from, std::ptrdiff_t from_step, bfloat16* to,
                std::ptrdiff_t to_step) {
#if defined(__x86_64__)
    static const bool native = has_bf16();
    if (native) return round_natively(rows, count, from, from_step, to, to_step);
#endif
    round_plainly(rows, count, from, from_step, to, to_step);
}

}  // namespace karyon::kernels::cpu
