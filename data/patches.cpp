#include "data/patches.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/error.h"
#include "kernels/simd.h"

namespace karyon {
namespace {

/// 16 pixels of coefficients, so that the three channels fill whole vectors.
constexpr std::size_t period = 48;

struct Coefficients {
    float gain[period], shift[period];

    explicit Coefficients(const InputScaling& scaling) {
        for (std::size_t i = 0; i < period; ++i) {
            gain[i] = 1 / (255 * scaling.std[i % 3]);
            shift[i] = -scaling.mean[i % 3] / scaling.std[i % 3];
        }
    }
};

template <typename T>
KARYON_INLINE void scale(const T* levels, std::size_t values, const Coefficients& k, float* out) {
    std::size_t i = 0;
    for (; i + period <= values; i += period)
        for (std::size_t j = 0; j < period; ++j) out[i + j] = float(levels[i + j]) * k.gain[j] + k.shift[j];
    for (std::size_t j = 0; i + j < values; ++j) out[i + j] = float(levels[i + j]) * k.gain[j] + k.shift[j];
}

KARYON_SIMD void scale_bytes(const std::uint8_t* levels, std::size_t values, const Coefficients& k, float* out) {
    scale(levels, values, k, out);
}

KARYON_SIMD void scale_floats(const float* levels, std::size_t values, const Coefficients& k, float* out) {
    scale(levels, values, k, out);
}

/// Mirrors without repeating the outermost pixel, as often as it takes.
int reflect(int i, int size) {
    if (size == 1) return 0;
    const int turn = 2 * (size - 1);
    i = (i % turn + turn) % turn;
    return i < size ? i : turn - i;
}

/// row[size, 3] = the levels of row y from column x on.
void read_row(const Image& image, int x, int y, int size, Border border, std::uint8_t* row) {
    if (border == Border::reflect) y = reflect(y, image.height);
    if (y < 0 || y >= image.height) {
        std::memset(row, 0, std::size_t(size) * 3);
        return;
    }
    const int first = std::clamp(-x, 0, size), last = std::clamp(image.width - x, first, size);
    if (last > first) std::memcpy(row + 3 * first, image.at(x + first, y), std::size_t(last - first) * 3);
    auto outside = [&](int i) {
        if (border == Border::zero)
            std::memset(row + 3 * i, 0, 3);
        else
            std::memcpy(row + 3 * i, image.at(reflect(x + i, image.width), y), 3);
    };
    for (int i = 0; i < first; ++i) outside(i);
    for (int i = last; i < size; ++i) outside(i);
}

}  // namespace

void check(const PatchGeometry& geometry) {
    if (geometry.local < 1 || geometry.margin < 0)
        throw Error("patch geometry", "expected a local side from 1 and a margin from 0, got {} and {}", geometry.local,
                    geometry.margin);
}

void scale_levels(const std::uint8_t* levels, std::size_t pixels, const InputScaling& scaling, float* out) {
    scale_bytes(levels, pixels * 3, Coefficients(scaling), out);
}

void scale_levels(const float* levels, std::size_t pixels, const InputScaling& scaling, float* out) {
    scale_floats(levels, pixels * 3, Coefficients(scaling), out);
}

void cut_patch(const Image& image, int x, int y, int size, Border border, const InputScaling& scaling, float* out) {
    if (image.width < 1 || image.height < 1)
        throw Error("cut_patch", "expected an image with pixels, got {}x{}", image.width, image.height);
    const Coefficients coefficients(scaling);
    std::vector<std::uint8_t> row(std::size_t(size) * 3);
    for (int v = 0; v < size; ++v) {
        read_row(image, x, y + v, size, border, row.data());
        scale_bytes(row.data(), row.size(), coefficients, out + std::size_t(v) * row.size());
    }
}

void cut_local(const Image& image, int x, int y, const PatchGeometry& geometry, const InputScaling& scaling,
               float* out) {
    cut_patch(image, x, y, geometry.local, Border::reflect, scaling, out);
}

void cut_global(const Image& image, int x, int y, const PatchGeometry& geometry, const InputScaling& scaling,
                float* out) {
    cut_patch(image, x - geometry.margin, y - geometry.margin, geometry.global(), Border::zero, scaling, out);
}

void cut_mask(const Mask& mask, int x, int y, int size, std::uint8_t* out) {
    for (int v = 0; v < size; ++v, out += size) {
        std::memset(out, 0, std::size_t(size));
        if (y + v < 0 || y + v >= mask.height) continue;
        const int first = std::clamp(-x, 0, size), last = std::clamp(mask.width - x, first, size);
        if (last > first)
            std::memcpy(out + first, &mask.pixels[std::size_t(y + v) * mask.width + x + first],
                        std::size_t(last - first));
    }
}

}  // namespace karyon
