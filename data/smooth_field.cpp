#include "data/smooth_field.h"

#include <array>
#include <cmath>

namespace karyon {
namespace {

/// The four B-spline weights at fraction t of a cell; they sum to 1.
std::array<float, 4> spline(float t) {
    const float s = 1 - t, t2 = t * t, s2 = s * s;
    return {s2 * s / 6, (4 + 3 * t2 * (t - 2)) / 6, (4 + 3 * s2 * (s - 2)) / 6, t2 * t / 6};
}

/// What the interpolation takes from the deviation of the lattice, averaged over a cell: the root of 151/315 squared.
constexpr float spline_gain = 151.f / 315;

}  // namespace

SmoothField::SmoothField(int width, int height, float spacing, float deviation, Random& random)
    : width_(width), columns_(int((width - 1) / spacing) + 4), step_(1 / spacing) {
    lattice_.resize(std::size_t(columns_) * (int((height - 1) / spacing) + 4));
    for (float& node : lattice_) node = deviation / spline_gain * random.normal();
}

void SmoothField::add_row(int y, float* out) const {
    const int row = int(y * step_);
    const auto down = spline(y * step_ - row);
    std::vector<float> line(columns_);
    for (int j = 0; j < 4; ++j) {
        const float* nodes = &lattice_[std::size_t(row + j) * columns_];
        for (int i = 0; i < columns_; ++i) line[i] += down[j] * nodes[i];
    }
    for (int x = 0; x < width_; ++x) {
        const int cell = int(x * step_);
        const auto across = spline(x * step_ - cell);
        out[x] += across[0] * line[cell] + across[1] * line[cell + 1] + across[2] * line[cell + 2] +
                  across[3] * line[cell + 3];
    }
}

std::vector<float> fractal_field(int width, int height, float spacing, float deviation, int octaves, Random& random) {
    std::vector<float> values(std::size_t(width) * height);
    for (int octave = 0; octave < octaves; ++octave, spacing /= 2, deviation /= 2) {
        const SmoothField field(width, height, spacing, deviation, random);
#pragma omp parallel for
        for (int y = 0; y < height; ++y) field.add_row(y, &values[std::size_t(y) * width]);
    }
    return values;
}

}  // namespace karyon
