#include "data/stain.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/error.h"

namespace karyon {
namespace {

double dot(const float* a, const float* b) { return double(a[0]) * b[0] + double(a[1]) * b[1] + double(a[2]) * b[2]; }

/// Levels of the output by density * steps: fine enough that the table adds 1/32 of a grey level at most.
struct LevelTable {
    static constexpr int steps = 4096, size = 6 * steps;
    std::array<std::uint8_t, size> levels;

    LevelTable() {
        for (int i = 0; i < size; ++i) levels[i] = std::uint8_t(std::lround(256 * std::exp(-double(i) / steps) - 1));
    }
};

const LevelTable& level_table() {
    static const LevelTable table;
    return table;
}

/// Four floats in a register: three output channels and nothing.
typedef float Channels __attribute__((vector_size(16)));
typedef std::int32_t Steps __attribute__((vector_size(16)));

/// A row for each level of one input channel: what it adds to the output densities, in table steps.
using ChannelTable = std::array<Channels, 256>;

std::array<ChannelTable, 3> transfer_tables(const StainModel& source, const StainModel& target) {
    const auto gain = transfer_gain(source, target);
    std::array<ChannelTable, 3> tables{};
    for (int in = 0; in < 3; ++in)
        for (int out = 0; out < 3; ++out)
            for (int level = 0; level < 256; ++level)
                tables[std::size_t(in)][std::size_t(level)][out] =
                    float(gain[in][out] * optical_density()[level] * LevelTable::steps);
    return tables;
}

std::string text_of(const std::array<float, 8>& values) {
    std::string text;
    for (float value : values) text += (text.empty() ? "" : ", ") + fmt::to_string(value);
    return text;
}

}  // namespace

const std::array<float, 256>& optical_density() {
    static const auto table = [] {
        std::array<float, 256> densities{};
        for (int level = 0; level < 256; ++level) densities[level] = float(-std::log((level + 1) / 256.0));
        return densities;
    }();
    return table;
}

StainModel reference_stains() { return {}; }

std::array<float, 8> StainModel::values() const {
    return {stains[0][0], stains[0][1], stains[0][2],         stains[1][0],
            stains[1][1], stains[1][2], max_concentration[0], max_concentration[1]};
}

StainModel StainModel::from_values(const std::array<float, 8>& values) {
    StainModel model;
    std::copy_n(values.begin(), 3, model.stains[0]);
    std::copy_n(values.begin() + 3, 3, model.stains[1]);
    std::copy_n(values.begin() + 6, 2, model.max_concentration);
    const bool finite = std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
    if (!finite || values[6] <= 0 || values[7] <= 0)
        throw Error("stain model", "expected 6 finite components and 2 positive maxima, got {}", text_of(values));
    const double a = dot(model.stains[0], model.stains[0]), b = dot(model.stains[1], model.stains[1]);
    const double ab = dot(model.stains[0], model.stains[1]);
    if (a * b - ab * ab <= 1e-6 * a * b || a == 0 || b == 0)
        throw Error("stain model", "expected two different stain directions, got {}", text_of(values));
    return model;
}

std::array<std::array<float, 3>, 2> unmixing(const StainModel& model) {
    const float *h = model.stains[0], *e = model.stains[1];
    const double hh = dot(h, h), he = dot(h, e), ee = dot(e, e), determinant = hh * ee - he * he;
    std::array<std::array<float, 3>, 2> inverse;
    for (int c = 0; c < 3; ++c) {
        inverse[0][c] = float((ee * h[c] - he * e[c]) / determinant);
        inverse[1][c] = float((hh * e[c] - he * h[c]) / determinant);
    }
    return inverse;
}

std::array<std::array<double, 3>, 3> transfer_gain(const StainModel& source, const StainModel& target) {
    const auto inverse = unmixing(source);
    std::array<std::array<double, 3>, 3> gain{};
    for (int in = 0; in < 3; ++in)
        for (int out = 0; out < 3; ++out)
            for (int s = 0; s < 2; ++s)
                gain[in][out] += double(target.stains[s][out]) * target.max_concentration[s] /
                                 source.max_concentration[s] * inverse[s][in];
    return gain;
}

Image normalise(const Image& image, const StainModel& source, const StainModel& target) {
    if (source.fallback || target.fallback) return image;
    const auto tables = transfer_tables(source, target);
    const LevelTable& levels = level_table();
    constexpr float last = LevelTable::size - 1;
    Image result(image.width, image.height);
#pragma omp parallel for
    for (int y = 0; y < image.height; ++y) {
        const std::uint8_t* in = image.at(0, y);
        std::uint8_t* out = result.at(0, y);
        for (int x = 0; x < image.width; ++x, in += 3, out += 3) {
            Channels sum = tables[0][in[0]] + tables[1][in[1]] + tables[2][in[2]] + 0.5f;
            sum = sum < 0 ? Channels{} : sum;
            sum = sum > last ? Channels{} + last : sum;
            const Steps steps = __builtin_convertvector(sum, Steps);
            for (int c = 0; c < 3; ++c) out[c] = levels.levels[std::size_t(steps[c])];
        }
    }
    return result;
}

}  // namespace karyon
