#pragma once

#include <bit>
#include <cstdint>

#include "kernels/simd.h"

namespace karyon::kernels {

/// e^x = 2^exponent * fraction with fraction in [0.7, 1.42], for |x| <= 104.
///
/// Cody and Waite: x = n ln2 + r with |r| <= ln2 / 2, and e^r = 1 + r + r^2 P(r) where P is the minimax polynomial of
/// degree 4 (Remez, relative error 3.1e-9 = 0.026 ulp).
struct ExpParts {
    float fraction;
    std::uint32_t exponent;  ///< two's complement

    KARYON_INLINE explicit ExpParts(float x) {
        constexpr float log2_e = 0x1.715476p+0f;
        constexpr float ln2_high = 0x1.63p-1f, ln2_low = -0x1.bd0106p-13f;  // n * ln2_high is exact
        constexpr float to_integer = 0x1.8p+23f;  // adding it rounds to an integer in the low bits

        const float shifted = x * log2_e + to_integer;
        const float n = shifted - to_integer;
        const float r = (x - n * ln2_high) - n * ln2_low;
        float p = 0x1.6a2416p-10f;
        p = p * r + 0x1.1239f4p-7f;
        p = p * r + 0x1.5558f2p-5f;
        p = p * r + 0x1.555492p-3f;
        p = p * r + 0x1.fffffcp-2f;
        fraction = (p * r) * r + r + 1.0f;
        exponent = std::bit_cast<std::uint32_t>(shifted) - std::bit_cast<std::uint32_t>(to_integer);
    }
};

/// 2^k for -126 <= k <= 127, k in two's complement.
KARYON_INLINE float power_of_two(std::uint32_t k) { return std::bit_cast<float>((k + 127u) << 23); }

/// e^x in plain arithmetic that vectorises, within 1.5 ulp for every float: overflows to infinity, underflows gradually
/// to zero, NaN stays NaN. The power of two goes in as two factors, which keeps each one normal where e^x is subnormal
/// or about to overflow.
KARYON_INLINE float exp_f32(float x) {
    x = x < -104.0f ? -104.0f : x;
    x = x > 89.0f ? 89.0f : x;
    const ExpParts parts(x);
    const auto half = static_cast<std::uint32_t>(static_cast<std::int32_t>(parts.exponent) >> 1);
    return parts.fraction * power_of_two(half) * power_of_two(parts.exponent - half);
}

/// 1 + e^-x for |x| <= 87 and the values at +-87 beyond, so that the power of two is one normal factor. NaN stays NaN.
KARYON_INLINE float sigmoid_denominator(float x) {
    x = x < -87.0f ? -87.0f : x;
    x = x > 87.0f ? 87.0f : x;
    const ExpParts parts(-x);
    return 1.0f + parts.fraction * power_of_two(parts.exponent);
}

/// 1 / (1 + e^-x) within 2.5 ulp for x >= -87, below that 1.6e-38; 1 at infinity, NaN stays NaN.
KARYON_INLINE float sigmoid_f32(float x) { return 1.0f / sigmoid_denominator(x); }

}  // namespace karyon::kernels
