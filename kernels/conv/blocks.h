#pragma once

#include <algorithm>

namespace karyon::kernels::cpu {

/// Channels that one task computes: a few cache lines of every pixel, with their weights in the first-level cache.
inline constexpr int slab = 64;
/// Output pixels that one task computes, in whole rows: some ten microseconds of work.
inline constexpr int task_pixels = 1024;

constexpr int divide_up(int a, int b) { return (a + b - 1) / b; }

/// Rows of a block of an image with `rows` rows.
constexpr int block_height(int rows, int width) { return std::clamp(task_pixels / width, 1, rows); }

/// Calls run(image, first_row, last_row, first_channel, last_channel) for blocks that cover a batch, on all threads.
/// The blocks depend on the sizes alone.
template <typename Run>
void for_each_block(int batch, int rows, int width, int channels, const Run& run) {
    const int height = block_height(rows, width);
    const int slabs = divide_up(channels, slab), bands = divide_up(rows, height);
    const int tasks = batch * bands * slabs;
#pragma omp parallel for schedule(dynamic)
    for (int task = 0; task < tasks; ++task) {
        const int image = task / (bands * slabs), row = task / slabs % bands * height, channel = task % slabs * slab;
        run(image, row, std::min(row + height, rows), channel, std::min(channel + slab, channels));
    }
}

}  // namespace karyon::kernels::cpu
