#pragma once

#include <algorithm>

#include "kernels/conv/conv2d.h"
#include "kernels/conv/lanes.h"
#include "kernels/conv/multiply_tile.h"
#include "kernels/conv/winograd_math.h"

/// How a batch of maps is cut into tiles of 4x4 outputs, and how these are read.
namespace karyon::kernels::cpu::winograd {

using V = Lanes<tile_lanes>;

KARYON_INLINE int round_up(int value, int step) { return (value + step - 1) / step * step; }

/// Columns of a panel: the output channels whose products a block of tiles makes before it transforms them.
inline constexpr int panel_lanes = 2 * tile_lanes;

inline int panels_of(int out_channels) { return (out_channels + panel_lanes - 1) / panel_lanes; }
/// Floats of one panel of the weights, [points][in][panel_lanes].
inline std::ptrdiff_t panel_size(int in_channels) { return std::ptrdiff_t(points) * in_channels * panel_lanes; }

/// Tiles are counted along rows, then images. The last one of a row or column may reach over the edge.
struct Tiling {
    int rows, columns;
    std::int64_t count;

    explicit Tiling(const Conv2dShape& s)
        : rows((s.out_height() + outputs - 1) / outputs),
          columns((s.out_width() + outputs - 1) / outputs),
          count(std::int64_t(s.batch) * rows * columns) {}

    struct Place {
        std::ptrdiff_t image;
        int row, column;  ///< of its first output
    };
    Place place(std::int64_t tile) const {
        const std::int64_t in_image = tile % (std::int64_t(rows) * columns);
        return {std::ptrdiff_t(tile / (std::int64_t(rows) * columns)), int(in_image / columns) * outputs,
                int(in_image % columns) * outputs};
    }
};

/// size x size pixels of a map [height, width, channels]; those outside it point to `zeros` [channels].
template <int size, typename T>
struct Window {
    const T* at[size][size];

    KARYON_INLINE Window(const T* image, int height, int width, std::ptrdiff_t channels, int top, int left,
                         const T* zeros) {
        for (int row = 0; row < size; ++row)
            for (int column = 0; column < size; ++column) {
                const int y = top + row, x = left + column;
                const bool inside = y >= 0 && y < height && x >= 0 && x < width;
                at[row][column] = inside ? image + (std::ptrdiff_t(y) * width + x) * channels : zeros;
            }
    }

    /// The pixels' channels from `first`; `count` of them where there are less than lanes, and then zeros.
    KARYON_INLINE void read(std::ptrdiff_t first, std::ptrdiff_t count, V (&values)[size][size]) const {
#pragma GCC unroll 6
        for (int row = 0; row < size; ++row)
#pragma GCC unroll 6
            for (int column = 0; column < size; ++column) {
                if (count >= tile_lanes) {
                    load(values[row][column], at[row][column] + first);
                } else {
                    T some[tile_lanes] = {};
                    for (std::ptrdiff_t lane = 0; lane < count; ++lane) some[lane] = at[row][column][first + lane];
                    load(values[row][column], some);
                }
            }
    }
};

/// transform(pixels) of all channels of a window, rounded up to whole vectors: point i * side + j to `to` + that *
/// point. The pixels of the next window to the right, which overlaps this one, are asked for on the way.
template <int size, typename T, typename Transform>
KARYON_INLINE void transform_window(const Window<size, T>& window, std::ptrdiff_t channels, float* to,
                                    std::ptrdiff_t point, Transform transform) {
    for (std::ptrdiff_t c = 0; c < channels; c += tile_lanes) {
        V pixels[size][size], transformed[side][side];
#pragma GCC unroll 6
        for (int row = 0; row < size; ++row)
#pragma GCC unroll 4
            for (int column = size - outputs; column < size; ++column)
                __builtin_prefetch(window.at[row][column] + outputs * channels + c);
        if (channels - c >= tile_lanes)
            window.read(c, tile_lanes, pixels);
        else
            window.read(c, channels - c, pixels);
        transform_both(pixels, transformed, transform);
#pragma GCC unroll 6
        for (int i = 0; i < side; ++i)
#pragma GCC unroll 6
            for (int j = 0; j < side; ++j) store(to + (i * side + j) * point + c, transformed[i][j]);
    }
}

/// The transformed pixels of tiles first .. first + count - 1, `point` floats from one point to the next and `step`
/// from one tile to the next.
template <typename T>
KARYON_INLINE void transform_input(const Conv2dShape& s, const Tiling& tiling, const T* x, const T* zeros,
                                   std::int64_t first, std::int64_t count, float* to, std::ptrdiff_t point,
                                   std::ptrdiff_t step) {
    const std::ptrdiff_t image = std::ptrdiff_t(s.height) * s.width * s.in_channels;
    for (std::int64_t tile = 0; tile < count; ++tile) {
        const auto [index, row, column] = tiling.place(first + tile);
        const Window<side, T> window(x + index * image, s.height, s.width, s.in_channels, row - s.pad.top,
                                     column - s.pad.left, zeros);
        transform_window(window, s.in_channels, to + tile * step, point, PixelTransform());
    }
}

}  // namespace karyon::kernels::cpu::winograd
