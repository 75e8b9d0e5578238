#include "kernels/resample/bilinear_resize.h"

#include <cmath>
#include <vector>

#include "kernels/blocks.h"
#include "kernels/float_type.h"
#include "kernels/simd.h"

namespace karyon::kernels {

Cost cost(const ResizeShape& shape, DType type) {
    const double in = static_cast<double>(shape.in_height) * shape.in_width;
    const double out = static_cast<double>(shape.out_height) * shape.out_width;
    const double planes = static_cast<double>(shape.batch) * shape.channels;
    return {(in + out) * planes * static_cast<double>(size_of(type)), 6 * out * planes};
}

namespace cpu {
namespace {

/// Where an output position looks: (1 - weight) * in[low] + weight * in[high].
struct Tap {
    int low, high;
    float weight;
};

std::vector<Tap> taps_of(int in, int out) {
    std::vector<Tap> taps(static_cast<std::size_t>(out));
    for (int o = 0; o < out; ++o) {
        const double position = std::max((o + 0.5) * in / out - 0.5, 0.0);
        const int low = std::min(static_cast<int>(position), in - 1);
        taps[static_cast<std::size_t>(o)] = {low, std::min(low + 1, in - 1), static_cast<float>(position - low)};
    }
    return taps;
}

template <typename T>
KARYON_SIMD void blend(std::int64_t count, const T* low, const T* high, float weight, float* y) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) y[i] = (1 - weight) * float(low[i]) + weight * float(high[i]);
}

template <typename T>
KARYON_SIMD void add_scaled(std::int64_t count, float scale, const T* x, float* y) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) y[i] += scale * float(x[i]);
}

template <typename T>
KARYON_INLINE void blend_columns_of(const std::vector<Tap>& taps, int channels, const float* row, T* y) {
    for (std::size_t o = 0; o < taps.size(); ++o) {
        const float* low = row + std::int64_t{taps[o].low} * channels;
        const float* high = row + std::int64_t{taps[o].high} * channels;
        const float weight = taps[o].weight;
        T* to = y + static_cast<std::int64_t>(o) * channels;
#pragma GCC ivdep
        for (int c = 0; c < channels; ++c) to[c] = T((1 - weight) * low[c] + weight * high[c]);
    }
}

/// Images have 3 channels, too few for vectors: there the loop over them is unrolled.
template <typename T>
KARYON_SIMD void blend_columns(const std::vector<Tap>& taps, int channels, const float* row, T* y) {
    if (channels == 3)
        blend_columns_of(taps, 3, row, y);
    else
        blend_columns_of(taps, channels, row, y);
}

/// The transpose of blend_columns. low and high may be one pixel, hence two loops.
KARYON_SIMD void scatter_columns(const std::vector<Tap>& taps, int channels, const float* dy, float* dx) {
    for (std::size_t o = 0; o < taps.size(); ++o) {
        float *low = dx + std::int64_t{taps[o].low} * channels, *high = dx + std::int64_t{taps[o].high} * channels;
        const float weight = taps[o].weight;
        const float* from = dy + static_cast<std::int64_t>(o) * channels;
#pragma GCC ivdep
        for (int c = 0; c < channels; ++c) low[c] += (1 - weight) * from[c];
#pragma GCC ivdep
        for (int c = 0; c < channels; ++c) high[c] += weight * from[c];
    }
}

/// For every input row the output rows that look at it, ascending, and with which weight.
struct Source {
    int row;
    float weight;
};
std::vector<std::vector<Source>> transposed(const std::vector<Tap>& taps, int in) {
    std::vector<std::vector<Source>> sources(static_cast<std::size_t>(in));
    for (std::size_t o = 0; o < taps.size(); ++o) {
        const Tap& tap = taps[o];
        sources[static_cast<std::size_t>(tap.low)].push_back({static_cast<int>(o), 1 - tap.weight});
        if (tap.weight != 0) sources[static_cast<std::size_t>(tap.high)].push_back({static_cast<int>(o), tap.weight});
    }
    return sources;
}

}  // namespace

void bilinear_resize_forward(Stream&, const ResizeShape& shape, In x, Out y) {
    const std::vector<Tap> rows = taps_of(shape.in_height, shape.out_height);
    const std::vector<Tap> columns = taps_of(shape.in_width, shape.out_width);
    const std::int64_t in_row = std::int64_t{shape.in_width} * shape.channels;
    const std::int64_t out_row = std::int64_t{shape.out_width} * shape.channels;
    with_float_type("bilinear_resize", x.dtype(), [&]<typename T>() {
        const T* from = x.as<T>();
        T* to = y.as<T>();
        for_each_item(std::int64_t{shape.batch} * shape.out_height, [&](std::int64_t item) {
            const std::int64_t image = item / shape.out_height;
            const Tap& tap = rows[static_cast<std::size_t>(item % shape.out_height)];
            const T* source = from + image * shape.in_height * in_row;
            std::vector<float> row(static_cast<std::size_t>(in_row));
            blend(in_row, source + tap.low * in_row, source + tap.high * in_row, tap.weight, row.data());
            blend_columns(columns, shape.channels, row.data(), to + item * out_row);
        });
    });
}

void bilinear_resize_backward(Stream&, const ResizeShape& shape, In dy, Out dx) {
    const std::vector<Tap> columns = taps_of(shape.in_width, shape.out_width);
    const auto sources = transposed(taps_of(shape.in_height, shape.out_height), shape.in_height);
    const std::int64_t in_row = std::int64_t{shape.in_width} * shape.channels;
    const std::int64_t out_row = std::int64_t{shape.out_width} * shape.channels;
    with_float_type("bilinear_resize", dy.dtype(), [&]<typename T>() {
        const T* from = dy.as<T>();
        T* to = dx.as<T>();
        for_each_item(std::int64_t{shape.batch} * shape.in_height, [&](std::int64_t item) {
            const std::int64_t image = item / shape.in_height;
            std::vector<float> row(static_cast<std::size_t>(out_row)), sums(static_cast<std::size_t>(in_row));
            for (const Source& source : sources[static_cast<std::size_t>(item % shape.in_height)])
                add_scaled(out_row, source.weight, from + (image * shape.out_height + source.row) * out_row,
                           row.data());
            scatter_columns(columns, shape.channels, row.data(), sums.data());
            for (std::int64_t i = 0; i < in_row; ++i) to[item * in_row + i] = T(sums[static_cast<std::size_t>(i)]);
        });
    });
}

}  // namespace cpu
}  // namespace karyon::kernels
