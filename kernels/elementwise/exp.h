#pragma once

#include <bit>
#include <cstdint>

#include "kernels/simd.h"

namespace karyon::kernels {

/// e^x in plain arithmetic that vectorises, within 1.5 ulp for every float: overflows to infinity, underflows gradually
/// to zero, NaN stays NaN.
///
/// Cody and Waite: x = n ln2 + r with |r| <= ln2 / 2, e^x = 2^n e^r, and e^r = 1 + r + r^2 P(r) where P is the minimax
/// polynomial of degree 4 (Remez, relative error 3.1e-9 = 0.026 ulp). 2^n goes in as two factors, which keeps
/// each one normal where e^x is subnormal or about to overflow.
KARYON_INLINE float exp_f32(float x) {
    constexpr float log2_e = 0x1.715476p+0f;
    constexpr float ln2_high = 0x1.63p-1f, ln2_low = -0x1.bd0106p-13f;  // n * ln2_high is exact
    constexpr float to_integer = 0x1.8p+23f;  // adding it rounds to an integer in the low bits

    x = x < -104.0f ? -104.0f : x;
    x = x > 89.0f ? 89.0f : x;
    const float shifted = x * log2_e + to_integer;
    const float n = shifted - to_integer;
    const float r = (x - n * ln2_high) - n * ln2_low;

    float p = 0x1.6a2416p-10f;
    p = p * r + 0x1.1239f4p-7f;
    p = p * r + 0x1.5558f2p-5f;
    p = p * r + 0x1.555492p-3f;
    p = p * r + 0x1.fffffcp-2f;
    const float e_r = (p * r) * r + r + 1.0f;

    const auto exponent =
        static_cast<std::int32_t>(std::bit_cast<std::uint32_t>(shifted) - std::bit_cast<std::uint32_t>(to_integer));
    const std::int32_t half = exponent >> 1;
    const auto power_of_two = [](std::int32_t k) __attribute__((always_inline)) {
        return std::bit_cast<float>((static_cast<std::uint32_t>(k) + 127u) << 23);
    };
    return e_r * power_of_two(half) *
           power_of_two(
               static_cast<std::int32_t>(static_cast<std::uint32_t>(exponent) - static_cast<std::uint32_t>(half)));
}

/// 1 / (1 + e^-x): 0 and 1 at the infinities, absolute error below 2^-23.
KARYON_INLINE float sigmoid_f32(float x) { return 1.0f / (1.0f + exp_f32(-x)); }

}  // namespace karyon::kernels
