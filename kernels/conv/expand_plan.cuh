#pragma once

#include "kernels/conv/expand_depthwise.h"
#include "kernels/conv/expand_tile.cuh"

namespace karyon::kernels::gpu::depthwise {

/// How a launch is cut: from the shape alone. Error where not even one patch fits into shared memory.
template <typename T, typename Window>
struct ExpandPlan {
    Tiles tiles;
    ExpandMemory<T, Window> memory;
    int slabs, slabs_of_block;

    ExpandPlan(const char* op, const ExpandDepthwiseShape& shape)
        : tiles(cut(shape)),
          memory(tiles, shape.in_channels),
          slabs(divide_up(shape.depthwise.channels, slab_channels<T>)) {
        if (!fits(shape))
            throw Error(op, "expected input channels of which a patch fits into {} bytes, got {}", shared_bytes_limit,
                        shape.in_channels);
        constexpr int enough_blocks = 264;
        slabs_of_block = divide_up(slabs, std::min(slabs, divide_up(enough_blocks, tiles.count())));
    }
    int groups() const { return divide_up(slabs, slabs_of_block); }
    static bool fits(const ExpandDepthwiseShape& shape) {
        return ExpandMemory<T, Window>(Tiles{}, shape.in_channels).bytes <= shared_bytes_limit;
    }

  private:
    static Tiles cut(const ExpandDepthwiseShape& shape) {
        const DepthwiseConvShape& s = shape.depthwise;
        const auto bytes_of = [&](const Tiles& t) { return ExpandMemory<T, Window>(t, shape.in_channels).bytes; };
        return cut_tiles<Window>({-s.pad.top, -s.pad.left}, s.batch, s.out_height(), s.out_width(), strips, bytes_of);
    }
};

/// Inputs of an axis of `size` that all tiles along it stage, their halos counted for each of them.
inline double staged_along(int tiles, int first, int step, int extent, int size) {
    double count = 0;
    for (int i = 0; i < tiles; ++i, first += step)
        count += std::max(0, std::min(first + extent, size) - std::max(first, 0));
    return count;
}

/// expand_depthwise_tile_cost() of a plan.
template <typename T, typename Window>
Cost tile_cost(const ExpandDepthwiseShape& shape, const ExpandPlan<T, Window>& plan) {
    constexpr double silu = 5, size = sizeof(T);
    const DepthwiseConvShape& s = shape.depthwise;
    const Tiles& t = plan.tiles;
    const ExpandMemory<T, Window>& memory = plan.memory;
    const double tiles = t.count(), channels = double(plan.slabs) * memory.slab;
    const double staged =
        s.batch * staged_along(t.down, t.in_top, t.rows * Window::row_step, memory.stage.rows, s.height) *
        staged_along(t.across, t.in_left, t.columns * Window::column_step, memory.stage.columns, s.width);
    const double y = double(s.batch) * s.out_height() * s.out_width() * s.channels;
    const double weights = s.channels * (size * shape.in_channels + 4.0 * memory.taps + 8);
    const double products = tiles * memory.rows * channels * memory.steps * 32 / size;
    const double sums = tiles * t.images * t.rows * t.columns * Window::rows * Window::columns * channels;
    return {size * (staged * plan.groups() * shape.in_channels + y) + tiles * weights,
            2 * products * (size == 4 ? 3 : 1) + 2 * memory.taps * sums +
                (1 + silu) * (tiles * memory.pixels * channels + sums)};
}

}  // namespace karyon::kernels::gpu::depthwise
