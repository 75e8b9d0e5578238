#include "data/augment_warp.h"

#include <cmath>

#include "data/smooth_field.h"
#include "kernels/simd.h"

namespace karyon {
namespace {

enum Stream : std::uint64_t { elastic_stream = 1 };

struct Pixel {
    float r = 0, g = 0, b = 0;
};

KARYON_INLINE Pixel mix(const Pixel& a, const Pixel& b, float t) {
    return {a.r + t * (b.r - a.r), a.g + t * (b.g - a.g), a.b + t * (b.b - a.b)};
}

KARYON_INLINE Pixel load(const std::uint8_t* p) { return {float(p[0]), float(p[1]), float(p[2])}; }

Pixel load_checked(const Image& image, int x, int y) {
    return x >= 0 && y >= 0 && x < image.width && y < image.height ? load(image.at(x, y)) : Pixel{};
}

KARYON_INLINE Pixel bilinear(const Image& image, int x, int y, float fx, float fy) {
    if (x >= 0 && y >= 0 && x + 1 < image.width && y + 1 < image.height) {
        const std::uint8_t *upper = image.at(x, y), *lower = image.at(x, y + 1);
        return mix(mix(load(upper), load(upper + 3), fx), mix(load(lower), load(lower + 3), fx), fy);
    }
    return mix(mix(load_checked(image, x, y), load_checked(image, x + 1, y), fx),
               mix(load_checked(image, x, y + 1), load_checked(image, x + 1, y + 1), fx), fy);
}

std::vector<float> displacement(int size, const Augmentation& a, Random& random) {
    std::vector<float> shift(std::size_t(size) * size);
    const SmoothField field(size, size, a.elastic_spacing, a.elastic, random);
    for (int row = 0; row < size; ++row) field.add_row(row, &shift[std::size_t(row) * size]);
    return shift;
}

}  // namespace

Warp::Warp(const Augmentation& a, int x, int y, int size) : x_(x), y_(y), size_(size) {
    // Exact for quarter turns: the sine and cosine of the free angle 0 are, and the turns swap and negate.
    const float c = std::cos(a.angle) / a.zoom, s = std::sin(a.angle) / a.zoom;
    const int turn_cos[] = {1, 0, -1, 0}, turn_sin[] = {0, 1, 0, -1};
    const int turn = a.quarter_turns & 3, mirror = a.flip ? -1 : 1;
    const float tc = float(turn_cos[turn]), ts = float(turn_sin[turn]);
    matrix_[0][0] = float(mirror) * (tc * c - ts * s);
    matrix_[0][1] = float(mirror) * (-ts * c - tc * s);
    matrix_[1][0] = ts * c + tc * s;
    matrix_[1][1] = tc * c - ts * s;
    if (a.elastic > 0) {
        Random random(a.seed, elastic_stream);
        shift_x_ = displacement(size, a, random);
        shift_y_ = displacement(size, a, random);
    }
}

void Warp::places(int row, int first, int count, float* x, float* y) const {
    const float centre = 0.5f * float(size_ - 1), v = float(row) - centre;
    for (int i = 0; i < count; ++i) {
        const float u = float(first + i) - centre;
        x[i] = matrix_[0][0] * u + matrix_[0][1] * v + centre;
        y[i] = matrix_[1][0] * u + matrix_[1][1] * v + centre;
    }
    if (shift_x_.empty()) return;
    const std::size_t at = std::size_t(row) * size_ + first;
    for (int i = 0; i < count; ++i) x[i] += shift_x_[at + i], y[i] += shift_y_[at + i];
}

void Warp::sample(const Image& image, float* levels, std::uint8_t* inside) const {
    std::vector<float> x(size_), y(size_);
    for (int row = 0; row < size_; ++row) {
        places(row, 0, size_, x.data(), y.data());
        for (int i = 0; i < size_; ++i, levels += 3, ++inside) {
            const float left = std::floor(x[i]), top = std::floor(y[i]), fx = x[i] - left, fy = y[i] - top;
            const int px = x_ + int(left), py = y_ + int(top);
            const Pixel pixel = bilinear(image, px, py, fx, fy);
            levels[0] = pixel.r, levels[1] = pixel.g, levels[2] = pixel.b;
            const int nx = px + (fx >= 0.5f), ny = py + (fy >= 0.5f);
            *inside = nx >= 0 && ny >= 0 && nx < image.width && ny < image.height;
        }
    }
}

void Warp::sample(const Mask& mask, int first, int count, std::uint8_t* out) const {
    std::vector<float> x(count), y(count);
    for (int row = first; row < first + count; ++row) {
        places(row, first, count, x.data(), y.data());
        for (int i = 0; i < count; ++i) {
            const int px = x_ + int(std::floor(x[i] + 0.5f)), py = y_ + int(std::floor(y[i] + 0.5f));
            const bool on = px >= 0 && py >= 0 && px < mask.width && py < mask.height;
            *out++ = on ? mask.pixels[std::size_t(py) * mask.width + px] : 0;
        }
    }
}

}  // namespace karyon
