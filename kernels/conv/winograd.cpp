#include "kernels/conv/winograd.h"

#include <omp.h>

#include <cstring>
#include <vector>

#include "kernels/blocks.h"
#include "kernels/conv/onednn.h"
#include "kernels/conv/winograd_tiles.h"
#include "kernels/elementwise/activation_math.h"

namespace karyon::kernels::cpu {
namespace {

using namespace winograd;

/// Transformed pixels of some tiles, [points][rows][step], and their products, [points][rows][panel_lanes], rows a
/// multiple of tile_rows. Between two points lies a cache line more, so that the points of a tile, which are written
/// and read together, do not compete for the same lines of the cache.
struct Block {
    std::int64_t first, count;
    std::ptrdiff_t rows, step;

    Block(std::int64_t first_tile, std::int64_t tiles, int in_channels)
        : first(first_tile),
          count(tiles),
          rows(std::ptrdiff_t(tiles + tile_rows - 1) / tile_rows * tile_rows),
          step(round_up(in_channels, tile_lanes)) {}

    std::ptrdiff_t point_of_pixels() const { return rows * step + tile_lanes; }
    std::ptrdiff_t point_of_products() const { return rows * panel_lanes + tile_lanes; }
    std::ptrdiff_t pixels() const { return points * point_of_pixels(); }
    std::ptrdiff_t products() const { return points * point_of_products(); }
};

template <typename T>
struct Forward {
    const Conv2dShape& s;
    Tiling tiling;
    const T* x;
    const float *weights, *bias;
    Activation f;
    T* y;
    std::vector<T> zeros;
};

template <typename T>
KARYON_SIMD void transform_tiles(const Forward<T>& run, const Block& block, std::int64_t begin, std::int64_t end,
                                 float* pixels) {
    transform_input(run.s, run.tiling, run.x, run.zeros.data(), block.first + begin, end - begin,
                    pixels + begin * block.step, block.point_of_pixels(), block.step);
}

/// The products of one panel of output channels.
template <int vectors>
KARYON_INLINE void multiply_as(const Block& block, int in_channels, const float* pixels, const float* panel,
                               float* products) {
    for (int p = 0; p < points; ++p)
        for (std::ptrdiff_t row = 0; row < block.rows; row += tile_rows)
            multiply_tile<vectors, false>(in_channels,
                                          {pixels + p * block.point_of_pixels() + row * block.step, block.step, 1},
                                          {panel + std::ptrdiff_t(p) * in_channels * panel_lanes, panel_lanes, 1},
                                          products + p * block.point_of_products() + row * panel_lanes, panel_lanes);
}
KARYON_SIMD void multiply(const Block& block, int in_channels, int channels, const float* pixels, const float* panel,
                          float* products) {
    if (channels > tile_lanes)
        multiply_as<2>(block, in_channels, pixels, panel, products);
    else
        multiply_as<1>(block, in_channels, pixels, panel, products);
}

template <Activation f, typename T>
KARYON_INLINE void finish_tiles_as(const Forward<T>& run, const Block& block, int first, int channels,
                                   const float* products) {
    const int height = run.s.out_height(), width = run.s.out_width();
    for (std::int64_t tile = 0; tile < block.count; ++tile) {
        const auto [image, top, left] = run.tiling.place(block.first + tile);
        for (int c = 0; c < channels; c += tile_lanes) {
            const int lanes = channels - c < tile_lanes ? channels - c : tile_lanes;
            V bias{}, m[side][side], result[outputs][outputs];
            if (run.bias) {
                float some[tile_lanes] = {};
                for (int lane = 0; lane < lanes; ++lane) some[lane] = run.bias[first + c + lane];
                load(bias, some);
            }
            for (int p = 0; p < points; ++p)
                load(m[p / side][p % side], products + p * block.point_of_products() + tile * panel_lanes + c);
            transform_both(m, result, ProductTransform());
            for (int row = 0; row < outputs && top + row < height; ++row)
                for (int column = 0; column < outputs && left + column < width; ++column) {
                    const std::ptrdiff_t pixel = (image * height + top + row) * std::ptrdiff_t(width) + left + column;
                    T* const to = run.y + pixel * run.s.out_channels + first + c;
                    V value = result[row][column] + bias;
                    float values[tile_lanes];
                    store(values, value);
                    for (int lane = 0; lane < tile_lanes; ++lane) values[lane] = activate<f>(values[lane]);
                    load(value, values);
                    if (lanes == tile_lanes)
                        store(to, value);
                    else
                        for (int lane = 0; lane < lanes; ++lane) to[lane] = T(values[lane]);
                }
        }
    }
}
/// The outputs of a panel of channels, from their products.
template <typename T>
KARYON_SIMD void finish_tiles(const Forward<T>& run, const Block& block, int first, int channels,
                              const float* products) {
    switch (run.f) {
        case Activation::none:
            return finish_tiles_as<Activation::none>(run, block, first, channels, products);
        case Activation::relu:
            return finish_tiles_as<Activation::relu>(run, block, first, channels, products);
        case Activation::silu:
            return finish_tiles_as<Activation::silu>(run, block, first, channels, products);
        case Activation::sigmoid:
            return finish_tiles_as<Activation::sigmoid>(run, block, first, channels, products);
    }
}

template <typename T>
void run_panel(const Forward<T>& run, const Block& block, int panel, const float* pixels, float* products) {
    const int first = panel * panel_lanes, channels = std::min(panel_lanes, run.s.out_channels - first);
    multiply(block, run.s.in_channels, channels, pixels, run.weights + panel * panel_size(run.s.in_channels), products);
    finish_tiles(run, block, first, channels, products);
}

float* thread_scratch(std::ptrdiff_t floats) {
    return reinterpret_cast<float*>(onednn::scratch(std::size_t(floats) * sizeof(float), onednn::Use::input).data());
}

/// Tiles of a block: half a megabyte of transformed pixels stays in a core's cache; with less than 32 tiles the
/// weights would be read too often.
std::int64_t tiles_of_block(const Conv2dShape& s) {
    constexpr std::int64_t bytes = 512 * 1024, least = 32, most = 64;
    return std::clamp(bytes / (points * 4 * std::int64_t(s.in_channels)) / tile_rows * tile_rows, least, most);
}

/// Each thread takes blocks of tiles through all steps.
template <typename T>
void forward_by_blocks(const Forward<T>& run, std::int64_t tiles) {
    for_each_block(run.tiling.count, tiles, [&](std::int64_t, std::int64_t begin, std::int64_t count) {
        const Block block(begin, count, run.s.in_channels);
        float* const pixels = thread_scratch(block.pixels() + block.products());
        transform_tiles(run, block, 0, count, pixels);
        for (int panel = 0; panel < panels_of(run.s.out_channels); ++panel)
            run_panel(run, block, panel, pixels, pixels + block.pixels());
    });
}

/// Few tiles: the threads share their transformed pixels and divide the panels of output channels.
template <typename T>
void forward_by_panels(const Forward<T>& run) {
    const Block block(0, run.tiling.count, run.s.in_channels);
    const auto bytes = std::size_t(block.pixels()) * sizeof(float);
    auto* const pixels = reinterpret_cast<float*>(onednn::scratch(bytes, onednn::Use::shared).data());
    for_each_block(block.count, 4, [&](std::int64_t, std::int64_t begin, std::int64_t count) {
        transform_tiles(run, block, begin, begin + count, pixels);
    });
    for_each_item(panels_of(run.s.out_channels), [&](std::int64_t panel) {
        run_panel(run, block, int(panel), pixels, thread_scratch(block.products()));
    });
}

}  // namespace

bool winograd_serves(const Conv2dShape& s) {
#if defined(__x86_64__)
    constexpr int least_channels = 16, least_pixels = 1024;
    return s.kernel == taps && s.stride == 1 && s.in_channels >= least_channels && s.out_channels >= least_channels &&
           std::max({s.pad.top, s.pad.left, s.pad.bottom, s.pad.right}) < taps &&
           std::int64_t(s.batch) * s.out_height() * s.out_width() >= least_pixels && __builtin_cpu_supports("avx512f");
#else
    return false;
#endif
}

bool winograd_serves_forward(const Conv2dShape& s, DType type) {
    if (!winograd_serves(s)) return false;
    if (type == DType::f32) return true;
#if defined(__x86_64__)
    constexpr int least_channels = 32, least_products = 2048;
    return std::min(s.in_channels, s.out_channels) >= least_channels &&
           s.in_channels * s.out_channels >= least_products && !__builtin_cpu_supports("amx-bf16");
#else
    return false;
#endif
}

Conv2dShape winograd_backward_shape(const Conv2dShape& s) {
    const int last = s.kernel - 1;
    return {s.batch,       s.out_height(),
            s.out_width(), s.out_channels,
            s.in_channels, s.kernel,
            s.stride,      {last - s.pad.top, last - s.pad.left, last - s.pad.bottom, last - s.pad.right}};
}

template <typename T>
void winograd_forward(const Conv2dShape& s, const T* x, const float* transformed, const float* bias, Activation f,
                      T* y) {
    const Forward<T> run{s, Tiling(s), x, transformed, bias, f, y, std::vector<T>(std::size_t(s.in_channels))};
    const std::int64_t tiles = tiles_of_block(s);
    if (block_count(run.tiling.count, tiles) >= 2 * omp_get_max_threads() || s.out_channels <= panel_lanes)
        forward_by_blocks(run, tiles);
    else
        forward_by_panels(run);
}
template void winograd_forward(const Conv2dShape&, const float*, const float*, const float*, Activation, float*);
template void winograd_forward(const Conv2dShape&, const bfloat16*, const float*, const float*, Activation, bfloat16*);

}  // namespace karyon::kernels::cpu
