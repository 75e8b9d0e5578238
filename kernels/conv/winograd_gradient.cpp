#include <vector>

#include "kernels/blocks.h"
#include "kernels/conv/onednn.h"
#include "kernels/conv/winograd.h"
#include "kernels/conv/winograd_tiles.h"

namespace karyon::kernels::cpu {
namespace {

using namespace winograd;

/// Of tiles, how many go through the caches together, and where their transforms are. The gradient of the transformed
/// weights, [points][out][in] with channels rounded up to whole vectors, is for each point the product of the
/// transformed gradients of the tiles, transposed, and of their transformed pixels; groups of tiles are added in order.
struct Buffers {
    std::ptrdiff_t in, out;
    std::int64_t group;
    float *weights = nullptr, *pixels = nullptr, *gradients = nullptr;

    Buffers(const Conv2dShape& s, std::int64_t cache, std::int64_t least, std::int64_t most)
        : in(round_up(s.in_channels, tile_lanes)),
          out(round_up(s.out_channels, tile_lanes)),
          group(std::clamp<std::int64_t>(cache / (points * 4 * (in + out)), least, most)) {}

    /// From one point to the next, a cache line apart (see winograd.cpp).
    std::ptrdiff_t point_of_weights() const { return in * out + tile_lanes; }
    std::ptrdiff_t point_of_pixels() const { return group * in + tile_lanes; }
    std::ptrdiff_t point_of_gradients() const { return group * out + tile_lanes; }

    std::ptrdiff_t weight_count() const { return points * point_of_weights(); }
    std::ptrdiff_t transform_count() const { return points * (point_of_pixels() + point_of_gradients()); }
    /// With room for the weights at `w` and for the transforms at `t`.
    Buffers at(float* w, float* t) const {
        Buffers result = *this;
        result.weights = w, result.pixels = t, result.gradients = t + points * point_of_pixels();
        return result;
    }
};

template <typename T>
struct Images {
    const Conv2dShape& s;
    const T *x, *dy;
    Tiling tiling{s};
    std::vector<T> zeros = std::vector<T>(std::size_t(std::max(s.in_channels, s.out_channels)));
};

/// Tiles begin .. begin + count - 1 of the group that starts with tile `first`.
template <typename T>
KARYON_SIMD void transform_tiles(const Images<T>& run, const Buffers& to, std::int64_t first, std::int64_t begin,
                                 std::int64_t count) {
    const Conv2dShape& s = run.s;
    transform_input(s, run.tiling, run.x, run.zeros.data(), first + begin, count, to.pixels + begin * to.in,
                    to.point_of_pixels(), to.in);
    const int height = s.out_height(), width = s.out_width();
    const std::ptrdiff_t image = std::ptrdiff_t(height) * width * s.out_channels;
    for (std::int64_t tile = begin; tile < begin + count; ++tile) {
        const auto [index, row, column] = run.tiling.place(first + tile);
        const Window<outputs, T> window(run.dy + index * image, height, width, s.out_channels, row, column,
                                        run.zeros.data());
        transform_window(window, s.out_channels, to.gradients + tile * to.out, to.point_of_gradients(),
                         OutputGradientTransform());
    }
}

/// weights [out rows `row` .. row + tile_rows][in] of a point (+)= gradients' pixels.
template <bool add>
KARYON_INLINE void multiply_rows(const Buffers& b, int point, std::ptrdiff_t row, std::int64_t tiles) {
    const Strided gradients{b.gradients + point * b.point_of_gradients() + row, 1, b.out};
    const float* const pixels = b.pixels + point * b.point_of_pixels();
    float* const weights = b.weights + point * b.point_of_weights() + row * b.in;
    std::ptrdiff_t c = 0;
    for (; c + 2 * tile_lanes <= b.in; c += 2 * tile_lanes)
        multiply_tile<2, add>(tiles, gradients, {pixels + c, b.in, 1}, weights + c, b.in);
    if (c < b.in) multiply_tile<1, add>(tiles, gradients, {pixels + c, b.in, 1}, weights + c, b.in);
}
KARYON_SIMD void multiply(const Buffers& b, int point, bool add, std::int64_t tiles) {
    for (std::ptrdiff_t row = 0; row < b.out; row += tile_rows) {
        if (add)
            multiply_rows<true>(b, point, row, tiles);
        else
            multiply_rows<false>(b, point, row, tiles);
    }
}

/// dw [3, 3, in] of one output channel += what its transformed gradient, the sum of `slices`, says.
KARYON_SIMD void add_taps(const Buffers& b, std::ptrdiff_t channels, std::int64_t slices, std::ptrdiff_t row,
                          float* dw) {
    for (std::ptrdiff_t c = 0; c < channels; c += tile_lanes) {
        V u[side][side], g[taps][taps];
        for (int p = 0; p < points; ++p) {
            V& sum = u[p / side][p % side];
            const float* from = b.weights + p * b.point_of_weights() + row * b.in + c;
            load(sum, from);
            for (std::int64_t slice = 1; slice < slices; ++slice) {
                V more;
                load(more, from + slice * b.weight_count());
                sum += more;
            }
        }
        transform_both(u, g, TapGradientTransform());
        for (int t = 0; t < taps * taps; ++t) {
            float values[tile_lanes];
            store(values, g[t / taps][t % taps]);
            for (int lane = 0; lane < tile_lanes && c + lane < channels; ++lane)
                dw[t * channels + c + lane] += values[lane];
        }
    }
}

float* floats(std::ptrdiff_t count, onednn::Use use) {
    return reinterpret_cast<float*>(onednn::scratch(std::size_t(count) * sizeof(float), use).data());
}

/// Many channels: the threads share one gradient and the transforms of a group, of which they divide first the tiles,
/// then the points.
template <typename T>
Buffers gradient_by_points(const Images<T>& run) {
    const Buffers shape(run.s, 4 << 20, 64, 256);
    float* const memory = floats(shape.weight_count() + shape.transform_count(), onednn::Use::shared);
    const Buffers b = shape.at(memory, memory + shape.weight_count());
    for (std::int64_t first = 0; first < run.tiling.count; first += b.group) {
        const std::int64_t tiles = std::min(b.group, run.tiling.count - first);
        for_each_block(tiles, 8, [&](std::int64_t, std::int64_t begin, std::int64_t count) {
            transform_tiles(run, b, first, begin, count);
        });
        for_each_item(points, [&](std::int64_t point) { multiply(b, int(point), first > 0, tiles); });
    }
    return b;
}

/// Few channels: slices of the tiles have gradients of their own, and nothing is shared between the cores' caches.
template <typename T>
Buffers gradient_by_slices(const Images<T>& run, std::int64_t slices) {
    const Buffers shape(run.s, 512 << 10, 32, 128);
    float* const weights = floats(slices * shape.weight_count(), onednn::Use::shared);
    const std::int64_t tiles_of_slice = block_count(run.tiling.count, slices);
    for_each_block(run.tiling.count, tiles_of_slice, [&](std::int64_t slice, std::int64_t begin, std::int64_t count) {
        const Buffers b =
            shape.at(weights + slice * shape.weight_count(), floats(shape.transform_count(), onednn::Use::input));
        for (std::int64_t first = begin; first < begin + count; first += b.group) {
            const std::int64_t tiles = std::min(b.group, begin + count - first);
            transform_tiles(run, b, first, 0, tiles);
            for (int point = 0; point < points; ++point) multiply(b, point, first > begin, tiles);
        }
    });
    return shape.at(weights, nullptr);
}

}  // namespace

template <typename T>
void winograd_backward_weights(const Conv2dShape& s, const T* x, const T* dy, float* dw) {
    const Images<T> run{s, x, dy};
    // Both follow from the shape, so that the result does not depend on the number of threads.
    constexpr std::int64_t most_slices = 16, least_tiles = 128;
    constexpr int most_products = 8192;  // 1.2 MB of weights
    std::int64_t slices = 1;
    if (s.in_channels * s.out_channels <= most_products)
        slices = std::clamp<std::int64_t>(run.tiling.count / least_tiles, 1, most_slices);
    // No slice may be empty.
    slices = block_count(run.tiling.count, block_count(run.tiling.count, slices));
    const Buffers b = slices > 1 ? gradient_by_slices(run, slices) : gradient_by_points(run);
    for_each_item(s.out_channels, [&](std::int64_t row) {
        add_taps(b, s.in_channels, slices, row, dw + row * taps * taps * s.in_channels);
    });
}
template void winograd_backward_weights(const Conv2dShape&, const float*, const float*, float*);
template void winograd_backward_weights(const Conv2dShape&, const bfloat16*, const bfloat16*, float*);

}  // namespace karyon::kernels::cpu
