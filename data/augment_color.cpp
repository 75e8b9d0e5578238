#include "data/augment_color.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "kernels/simd.h"

namespace karyon {
namespace {

enum Stream : std::uint64_t { noise_stream = 2 };
constexpr float ln2 = 0.69314718f;

/// Natural logarithm of a positive normal number to 1e-6: the exponent, and a series in (m - 1) / (m + 1).
KARYON_INLINE float fast_log(float x) {
    const std::int32_t bits = std::bit_cast<std::int32_t>(x) - 0x3F3504F3;  // so that m is in sqrt(1/2) .. sqrt(2)
    const float exponent = float(bits >> 23);
    const float m = std::bit_cast<float>((bits & 0x007FFFFF) + 0x3F3504F3);
    const float t = (m - 1) / (m + 1), t2 = t * t;
    return exponent * ln2 + 2 * t * (1 + t2 * (1 / 3.f + t2 * (0.2f + t2 * (1 / 7.f))));
}

/// Exponential of -60..60 to 1e-6: a power of two, and a polynomial on half an octave either side.
KARYON_INLINE float fast_exp(float x) {
    const float scaled = x * (1 / ln2) + 12582912.f;  // 1.5 * 2^23: the sum rounds to a whole number
    const float power = scaled - 12582912.f, r = x - power * ln2;
    const float e = 1 + r * (1 + r * (1 / 2.f + r * (1 / 6.f + r * (1 / 24.f + r * (1 / 120.f + r * (1 / 720.f))))));
    return e * std::bit_cast<float>((std::int32_t(power) + 127) << 23);
}

struct Recolouring {
    float matrix[3][3], shift[3];  ///< of optical density
    float gamma, contrast, brightness;
};

Recolouring recolouring_of(const Augmentation& a, const StainModel& stains) {
    const auto inverse = unmixing(stains);
    Recolouring r{{}, {}, a.gamma, a.contrast, a.brightness};
    for (int out = 0; out < 3; ++out) {
        for (int s = 0; s < 2; ++s) r.shift[out] += a.stain_bias[s] * stains.stains[s][out];
        for (int in = 0; in < 3; ++in) {
            r.matrix[out][in] = out == in;
            for (int s = 0; s < 2; ++s)
                r.matrix[out][in] += (a.stain_gain[s] - 1) * stains.stains[s][out] * inverse[s][in];
        }
    }
    return r;
}

/// A block of pixels, one array a channel, so that the vectors run over pixels.
constexpr std::size_t block = 64;

KARYON_INLINE void restain(const Recolouring& k, float (&c)[3][block]) {
    for (std::size_t i = 0; i < block; ++i) {
        float density[3], changed[3];
        for (int j = 0; j < 3; ++j) density[j] = -fast_log((c[j][i] + 1) * (1 / 256.f));
        for (int j = 0; j < 3; ++j)
            changed[j] =
                k.matrix[j][0] * density[0] + k.matrix[j][1] * density[1] + k.matrix[j][2] * density[2] + k.shift[j];
        for (int j = 0; j < 3; ++j) {
            const float limited = std::min(std::max(changed[j], 0.f), 20.f);
            c[j][i] = std::max(256 * fast_exp(-limited) - 1, 0.f);
        }
    }
}

KARYON_INLINE void retone(const Recolouring& k, float (&c)[3][block]) {
    for (int j = 0; j < 3; ++j)
        for (std::size_t i = 0; i < block; ++i) {
            const float x = std::max(c[j][i] * (1 / 255.f), 1e-6f);
            const float y = (fast_exp(k.gamma * fast_log(x)) - 0.5f) * k.contrast + 0.5f + k.brightness;
            c[j][i] = 255 * std::min(std::max(y, 0.f), 1.f);
        }
}

KARYON_SIMD void recolour_block(const Recolouring& k, bool stain, bool tone, float* levels, std::size_t pixels) {
    float c[3][block] = {};
    for (std::size_t i = 0; i < pixels; ++i)
        for (int j = 0; j < 3; ++j) c[j][i] = levels[3 * i + j];
    if (stain) restain(k, c);
    if (tone) retone(k, c);
    for (std::size_t i = 0; i < pixels; ++i)
        for (int j = 0; j < 3; ++j) levels[3 * i + j] = c[j][i];
}

}  // namespace

void recolour(const Augmentation& a, const StainModel& stains, float* levels, std::size_t pixels) {
    const bool stain = a.stain_gain[0] != 1 || a.stain_gain[1] != 1 || a.stain_bias[0] != 0 || a.stain_bias[1] != 0;
    const bool tone = a.gamma != 1 || a.contrast != 1 || a.brightness != 0;
    if (!stain && !tone) return;
    const Recolouring k = recolouring_of(a, stains);
    for (std::size_t i = 0; i < pixels; i += block)
        recolour_block(k, stain, tone, levels + 3 * i, std::min(block, pixels - i));
}

void add_noise(float deviation, std::uint64_t seed, float* values, std::size_t count) {
    const float unit = deviation / std::sqrt(4 * (65536 - 1) / 12.f);
    for (std::size_t i = 0; i < count; i += 4) {
        const auto words = random_block(seed, noise_stream, i / 4);
        for (std::size_t j = 0; j < 4 && i + j < count; ++j) {
            const std::uint32_t w = words[j];
            values[i + j] += unit * (float((w & 255) + (w >> 8 & 255) + (w >> 16 & 255) + (w >> 24)) - 510);
        }
    }
}

void keep_inside(const std::uint8_t* inside, float* levels, std::size_t pixels) {
    for (std::size_t i = 0; i < pixels; ++i)
        for (int j = 0; j < 3; ++j) levels[3 * i + j] = inside[i] ? std::clamp(levels[3 * i + j], 0.f, 255.f) : 0;
}

}  // namespace karyon
