#include "data/gaussian_blur.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/simd.h"

namespace karyon {
namespace {

/// weights[k] of the pixels k away on either side; all together sum to 1.
std::vector<float> gaussian_weights(float sigma) {
    std::vector<float> weights(std::size_t(std::ceil(3 * sigma)) + 1);
    float total = 0;
    for (std::size_t k = 0; k < weights.size(); ++k) {
        weights[k] = std::exp(-0.5f * float(k * k) / (sigma * sigma));
        total += (k ? 2 : 1) * weights[k];
    }
    for (float& weight : weights) weight /= total;
    return weights;
}

/// out[i] = the weighted sum of rows[radius - k][i] and rows[radius + k][i].
KARYON_SIMD void weigh(const float* const* rows, const std::vector<float>& weights, int count, float* out) {
    const int radius = int(weights.size()) - 1;
#pragma GCC ivdep
    for (int i = 0; i < count; ++i) out[i] = weights[0] * rows[radius][i];
    for (int k = 1; k <= radius; ++k) {
        const float weight = weights[k], *before = rows[radius - k], *after = rows[radius + k];
#pragma GCC ivdep
        for (int i = 0; i < count; ++i) out[i] += weight * (before[i] + after[i]);
    }
}

void blur_along_rows(float* pixels, int width, int height, const std::vector<float>& weights) {
    const int radius = int(weights.size()) - 1;
    std::vector<float> padded(std::size_t(width + 2 * radius) * 3);
    std::vector<const float*> taps(2 * radius + 1);
    for (int k = 0; k <= 2 * radius; ++k) taps[k] = &padded[std::size_t(3) * k];
    for (int y = 0; y < height; ++y, pixels += std::size_t(width) * 3) {
        for (int x = -radius; x < width + radius; ++x)
            std::copy_n(pixels + 3 * std::clamp(x, 0, width - 1), 3, &padded[std::size_t(3) * (x + radius)]);
        weigh(taps.data(), weights, 3 * width, pixels);
    }
}

/// A ring keeps the rows that are still needed as they were before the blur.
void blur_along_columns(float* pixels, int width, int height, const std::vector<float>& weights) {
    const int radius = int(weights.size()) - 1, taps_count = 2 * radius + 1;
    const std::size_t row = std::size_t(width) * 3;
    std::vector<float> ring(row * taps_count);
    std::vector<const float*> taps(taps_count);
    auto slot = [&](int y) { return &ring[std::size_t((y % taps_count + taps_count) % taps_count) * row]; };
    auto load = [&](int y) { std::copy_n(pixels + std::size_t(std::clamp(y, 0, height - 1)) * row, row, slot(y)); };
    for (int y = -radius; y < radius; ++y) load(y);
    for (int y = 0; y < height; ++y) {
        load(y + radius);
        for (int k = 0; k < taps_count; ++k) taps[k] = slot(y - radius + k);
        weigh(taps.data(), weights, 3 * width, pixels + std::size_t(y) * row);
    }
}

}  // namespace

void gaussian_blur(float* pixels, int width, int height, float sigma) {
    if (sigma <= 0 || width < 1 || height < 1) return;
    const auto weights = gaussian_weights(sigma);
    blur_along_rows(pixels, width, height, weights);
    blur_along_columns(pixels, width, height, weights);
}

}  // namespace karyon
