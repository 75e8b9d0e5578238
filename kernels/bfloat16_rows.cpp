#include "kernels/bfloat16_rows.h"

#include "kernels/conv/conv2d.h"
#include "kernels/elementwise/activation_math.h"
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

template <typename T>
KARYON_SIMD void silu_plainly(std::int64_t rows, int count, const T* from, std::ptrdiff_t from_step, bfloat16* to,
                              std::ptrdiff_t to_step) {
    for (std::int64_t row = 0; row < rows; ++row, from += from_step, to += to_step)
#pragma GCC ivdep
        for (int i = 0; i < count; ++i) to[i] = bfloat16(activate<Activation::silu>(float(from[i])));
}

#if defined(__x86_64__)
#define KARYON_NATIVE_BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))

constexpr int lanes = 16;
constexpr __mmask16 all = 0xffff;

/// Of the elements behind the last whole vector.
__mmask16 mask_of_rest(int count) { return static_cast<__mmask16>((1u << (count % lanes)) - 1); }

KARYON_NATIVE_BF16 inline __m512 load(const float* from, __mmask16 mask) { return _mm512_maskz_loadu_ps(mask, from); }
KARYON_NATIVE_BF16 inline __m512 load(const bfloat16* from, __mmask16 mask) {
    const __m512i bits = _mm512_maskz_cvtepu16_epi32(mask, _mm256_maskz_loadu_epi16(mask, from));
    return _mm512_castsi512_ps(_mm512_maskz_slli_epi32(mask, bits, 16));
}
KARYON_NATIVE_BF16 inline void store(bfloat16* to, __mmask16 mask, __m512 values) {
    _mm256_mask_storeu_epi16(to, mask, reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(values)));
}

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

/// x / (1 + e^-x) for less than bf16 shows. e^-x = 2^n 2^f with |f| <= 1/2: n goes into the exponent's bits, 2^f is the
/// minimax polynomial of degree 4 (Remez, relative error 2.7e-6). The division is the processor's estimate (2^-14) and
/// a step of Newton's.
struct Silu {
    KARYON_NATIVE_BF16 static __m512 of(float value) { return _mm512_set1_ps(value); }
    KARYON_NATIVE_BF16 __m512 operator()(__m512 x, int, __mmask16) const {
        // Of two operands one of which is NaN, maximum and minimum take the second: NaN stays.
        const __m512 low = _mm512_maskz_max_ps(all, of(-87), x), within = _mm512_maskz_min_ps(all, of(87), low);
        const __m512 minus_log2_e = of(-0x1.715476p+0f), to_integer = of(0x1.8p+23f);
        const __m512 shifted = _mm512_fmadd_ps(within, minus_log2_e, to_integer);
        const __m512 f = _mm512_fmsub_ps(within, minus_log2_e, shifted - to_integer);
        __m512 p = _mm512_fmadd_ps(of(0x1.3997d6p-7f), f, of(0x1.ca1440p-5f));
        p = _mm512_fmadd_ps(p, f, of(0x1.ec06dap-3f));
        p = _mm512_fmadd_ps(p, f, of(0x1.62e0dcp-1f));
        p = _mm512_fmadd_ps(p, f, of(0x1.ffffe8p-1f));
        const __m512i exponent = _mm512_maskz_slli_epi32(all, _mm512_castps_si512(shifted), 23);
        const __m512 power = _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(p), exponent));
        const __m512 denominator = power + of(1), estimate = _mm512_maskz_rcp14_ps(all, denominator);
        const __m512 off = _mm512_fnmadd_ps(denominator, estimate, of(1));
        return low * _mm512_fmadd_ps(estimate, off, estimate);
    }
};

bool is_native() {
    static const bool native = has_bf16();
    return native;
}
#endif

}  // namespace

void round_rows(std::int64_t rows, int count, const float* from, std::ptrdiff_t from_step, bfloat16* to,
                std::ptrdiff_t to_step) {
#if defined(__x86_64__)
    if (is_native()) return map_rows(rows, count, from, from_step, to, to_step, Round());
#endif
    round_plainly(rows, count, from, from_step, to, to_step);
}

void scale_rows(std::int64_t rows, int count, const bfloat16* from, const float* scale, bfloat16* to) {
#if defined(__x86_64__)
    if (is_native()) return map_rows(rows, count, from, count, to, count, Scale{scale});
#endif
    scale_plainly(rows, count, from, scale, to);
}

template <typename T>
void silu_rows(std::int64_t rows, int count, const T* from, std::ptrdiff_t from_step, bfloat16* to,
               std::ptrdiff_t to_step) {
#if defined(__x86_64__)
    if (is_native()) return map_rows(rows, count, from, from_step, to, to_step, Silu());
#endif
    silu_plainly(rows, count, from, from_step, to, to_step);
}
template void silu_rows(std::int64_t, int, const float*, std::ptrdiff_t, bfloat16*, std::ptrdiff_t);
template void silu_rows(std::int64_t, int, const bfloat16*, std::ptrdiff_t, bfloat16*, std::ptrdiff_t);

}  // namespace karyon::kernels::cpu
