#pragma once

#include "kernels/bfloat16.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstdint>

/// Marks a function that only processors with AVX512-BF16 (has_bf16()) may run.
#define KARYON_NATIVE_BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))

/// Vectors of 16 floats that are loaded from bf16 and rounded to bf16 by the processor's own instruction: one where the
/// compiler makes a dozen. It takes subnormal numbers for zeros.
namespace karyon::kernels::cpu::native {

constexpr int lanes = 16;
/// Loads and stores with all lanes become those without a mask. Many intrinsics are used in the form with a mask, since
/// GCC 12 warns of what the others leave unset on purpose.
constexpr __mmask16 all = 0xffff;

/// Of the elements behind the last whole vector.
inline __mmask16 mask_of_rest(std::int64_t count) { return static_cast<__mmask16>((1u << (count % lanes)) - 1); }

KARYON_NATIVE_BF16 inline __m512 load(const float* from, __mmask16 mask) { return _mm512_maskz_loadu_ps(mask, from); }
KARYON_NATIVE_BF16 inline __m512 load(const bfloat16* from, __mmask16 mask) {
    const __m512i bits = _mm512_maskz_cvtepu16_epi32(mask, _mm256_maskz_loadu_epi16(mask, from));
    return _mm512_castsi512_ps(_mm512_maskz_slli_epi32(mask, bits, 16));
}
KARYON_NATIVE_BF16 inline void store(bfloat16* to, __mmask16 mask, __m512 values) {
    _mm256_mask_storeu_epi16(to, mask, reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(values)));
}
KARYON_NATIVE_BF16 inline void store(float* to, __mmask16 mask, __m512 values) {
    _mm512_mask_storeu_ps(to, mask, values);
}

KARYON_NATIVE_BF16 inline __m512 vector_of(float value) { return _mm512_set1_ps(value); }

/// s = 1 / (1 + e^-x) within 4e-6 of itself, and what is made of it. e^-x = 2^n 2^f with |f| <= 1/2: n goes into the
/// exponent's bits, 2^f is the minimax polynomial of degree 4 (Remez, relative error 2.7e-6). The division is the
/// processor's estimate (2^-14) and a step of Newton's. x is held in [-87, 87] where it would overflow; NaN stays.
struct Sigmoid {
    __m512 low, within, s;

    KARYON_NATIVE_BF16 explicit Sigmoid(__m512 x) {
        // Of two operands one of which is NaN, maximum and minimum take the second.
        low = _mm512_maskz_max_ps(all, vector_of(-87), x);
        within = _mm512_maskz_min_ps(all, vector_of(87), low);
        const __m512 minus_log2_e = vector_of(-0x1.715476p+0f), to_integer = vector_of(0x1.8p+23f);
        const __m512 shifted = _mm512_fmadd_ps(within, minus_log2_e, to_integer);
        const __m512 f = _mm512_fmsub_ps(within, minus_log2_e, shifted - to_integer);
        __m512 p = _mm512_fmadd_ps(vector_of(0x1.3997d6p-7f), f, vector_of(0x1.ca1440p-5f));
        p = _mm512_fmadd_ps(p, f, vector_of(0x1.ec06dap-3f));
        p = _mm512_fmadd_ps(p, f, vector_of(0x1.62e0dcp-1f));
        p = _mm512_fmadd_ps(p, f, vector_of(0x1.ffffe8p-1f));
        const __m512i exponent = _mm512_maskz_slli_epi32(all, _mm512_castps_si512(shifted), 23);
        const __m512 power = _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(p), exponent));
        const __m512 denominator = power + vector_of(1), estimate = _mm512_maskz_rcp14_ps(all, denominator);
        s = _mm512_fmadd_ps(estimate, _mm512_fnmadd_ps(denominator, estimate, vector_of(1)), estimate);
    }

    KARYON_NATIVE_BF16 __m512 silu() const { return low * s; }
    KARYON_NATIVE_BF16 __m512 slope() const { return _mm512_fnmadd_ps(s, s, s); }
    KARYON_NATIVE_BF16 __m512 silu_slope() const { return s * _mm512_fmadd_ps(within, vector_of(1) - s, vector_of(1)); }
};

}  // namespace karyon::kernels::cpu::native
#endif
