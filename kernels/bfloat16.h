#pragma once

#include <bit>
#include <cstdint>

namespace karyon {

/// The upper half of a float: 8 bits of exponent, 7 of mantissa. A storage type: arithmetic is done in float.
struct bfloat16 {
    std::uint16_t bits = 0;

    bfloat16() = default;
    /// Rounds to nearest, ties to even; NaN stays NaN.
    explicit bfloat16(float value) {
        const auto word = std::bit_cast<std::uint32_t>(value);
        if ((word & 0x7fffffffu) > 0x7f800000u)
            bits = static_cast<std::uint16_t>((word >> 16) | 0x40u);
        else
            bits = static_cast<std::uint16_t>((word + 0x7fffu + ((word >> 16) & 1u)) >> 16);
    }
    explicit operator float() const { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }
};

}  // namespace karyon
