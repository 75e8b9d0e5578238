#include <vector>

#include "kernels/blocks.h"
#include "kernels/conv/onednn.h"
#include "kernels/conv/winograd.h"
#include "kernels/conv/winograd_tiles.h"

namespace karyon::kernels::cpu {
namespace {

using namespace winograd;

/// The gradient of the transformed weights, [points][out][in] with channels rounded up to whole vectors, is for each
/// point the product of the transformed gradients of a group of tiles, transposed, and of their transformed pixels; the
/// groups are added in order. The threads share both, and divide first the tiles, then the product.
template <typename T>
struct Gradient {
    const Conv2dShape& s;
    const T *x, *dy;
    Tiling tiling{s};
    std::ptrdiff_t in = round_up(s.in_channels, tile_lanes), out = round_up(s.out_channels, tile_lanes);
    std::vector<T> zeros = std::vector<T>(std::size_t(std::max(s.in_channels, s.out_channels)));
    std::int64_t group = tiles_of_group();
    float *weights = nullptr, *pixels = nullptr, *gradients = nullptr;

    /// As much as the caches of two cores hold beside the weights.
    std::int64_t tiles_of_group() const {
        constexpr std::int64_t bytes = 4 << 20, least = 64, most = 256;
        return std::clamp<std::int64_t>(bytes / (points * 4 * (in + out)), least, most);
    }
    /// From one point to the next, a cache line apart (see winograd.cpp).
    std::ptrdiff_t point_of_weights() const { return in * out + tile_lanes; }
    std::ptrdiff_t point_of_pixels() const { return group * in + tile_lanes; }
    std::ptrdiff_t point_of_gradients() const { return group * out + tile_lanes; }
};

template <typename T>
KARYON_SIMD void transform_tiles(const Gradient<T>& run, std::int64_t first, std::int64_t begin, std::int64_t count) {
    const Conv2dShape& s = run.s;
    transform_input(s, run.tiling, run.x, run.zeros.data(), first + begin, count, run.pixels + begin * run.in,
                    run.point_of_pixels(), run.in);
    const int height = s.out_height(), width = s.out_width();
    const std::ptrdiff_t image = std::ptrdiff_t(height) * width * s.out_channels;
    for (std::int64_t tile = begin; tile < begin + count; ++tile) {
        const auto [index, row, column] = run.tiling.place(first + tile);
        const Window<outputs, T> window(run.dy + index * image, height, width, s.out_channels, row, column,
                                        run.zeros.data());
        transform_window(window, s.out_channels, run.gradients + tile * run.out, run.point_of_gradients(),
                         OutputGradientTransform());
    }
}

/// weights [out rows `row` .. row + tile_rows][in] of a point (+)= gradients' pixels.
template <bool add, typename T>
KARYON_INLINE void multiply_rows(const Gradient<T>& run, int point, std::ptrdiff_t row, std::int64_t tiles) {
    const Strided gradients{run.gradients + point * run.point_of_gradients() + row, 1, run.out};
    const float* const pixels = run.pixels + point * run.point_of_pixels();
    float* const weights = run.weights + point * run.point_of_weights() + row * run.in;
    std::ptrdiff_t c = 0;
    for (; c + 2 * tile_lanes <= run.in; c += 2 * tile_lanes)
        multiply_tile<2, add>(tiles, gradients, {pixels + c, run.in, 1}, weights + c, run.in);
    if (c < run.in) multiply_tile<1, add>(tiles, gradients, {pixels + c, run.in, 1}, weights + c, run.in);
}
template <typename T>
KARYON_SIMD void multiply(const Gradient<T>& run, int point, bool add, std::int64_t tiles) {
    for (std::ptrdiff_t row = 0; row < run.out; row += tile_rows) {
        if (add)
            multiply_rows<true>(run, point, row, tiles);
        else
            multiply_rows<false>(run, point, row, tiles);
    }
}

/// dw [3, 3, in] of one output channel += what its transformed gradient says.
template <typename T>
KARYON_SIMD void add_taps(const Gradient<T>& run, std::ptrdiff_t row, float* dw) {
    const std::ptrdiff_t channels = run.s.in_channels;
    for (std::ptrdiff_t c = 0; c < channels; c += tile_lanes) {
        V u[side][side], g[taps][taps];
        for (int p = 0; p < points; ++p)
            load(u[p / side][p % side], run.weights + p * run.point_of_weights() + row * run.in + c);
        transform_both(u, g, TapGradientTransform());
        for (int t = 0; t < taps * taps; ++t) {
            float values[tile_lanes];
            store(values, g[t / taps][t % taps]);
            for (int lane = 0; lane < tile_lanes && c + lane < channels; ++lane)
                dw[t * channels + c + lane] += values[lane];
        }
    }
}

}  // namespace

template <typename T>
void winograd_backward_weights(const Conv2dShape& s, const T* x, const T* dy, float* dw) {
    Gradient<T> run{s, x, dy};
    const auto floats =
        std::size_t(points) * std::size_t(run.point_of_weights() + run.point_of_pixels() + run.point_of_gradients());
    run.weights = reinterpret_cast<float*>(onednn::scratch(floats * sizeof(float), onednn::Use::shared).data());
    run.pixels = run.weights + points * run.point_of_weights();
    run.gradients = run.pixels + points * run.point_of_pixels();
    for (std::int64_t first = 0; first < run.tiling.count; first += run.group) {
        const std::int64_t tiles = std::min(run.group, run.tiling.count - first);
        for_each_block(tiles, 8, [&](std::int64_t, std::int64_t begin, std::int64_t count) {
            transform_tiles(run, first, begin, count);
        });
        for_each_item(points, [&](std::int64_t point) { multiply(run, int(point), first > 0, tiles); });
    }
    for_each_item(s.out_channels,
                  [&](std::int64_t row) { add_taps(run, row, dw + row * taps * taps * s.in_channels); });
}
template void winograd_backward_weights(const Conv2dShape&, const float*, const float*, float*);
template void winograd_backward_weights(const Conv2dShape&, const bfloat16*, const bfloat16*, float*);

}  // namespace karyon::kernels::cpu
