#pragma once

#include <algorithm>

#include "kernels/types.h"

namespace karyon::kernels::gpu {

/// Which of the kernels computes a product, and how it is cut: follows from the shape alone.
///
/// Tiles of 128 x 128 are for bf16 only, whose products are so fast that reading the operands from shared memory holds
/// them up; f32 would need more registers than there are, and its products take three to six times as long.
struct GemmPlan {
    int tile_rows = 128, tile_columns = 64;
    bool in_words = false;               ///< operands are copied 4 bytes at a time, since 16 are not aligned
    int row_tiles_of_block = 1;          ///< forward, backward_data
    int slices = 1, steps_of_slice = 0;  ///< backward_weights

    int row_tiles(int rows) const { return (rows + tile_rows - 1) / tile_rows; }
    int column_tiles(int columns) const { return (columns + tile_columns - 1) / tile_columns; }
    /// Blocks along M.
    int block_rows(int rows) const { return (row_tiles(rows) + row_tiles_of_block - 1) / row_tiles_of_block; }
};

/// Of forward and backward_data. Batch statistics leave 8 bytes a block and column, so that a block takes several tiles
/// where there are more than enough of them.
inline GemmPlan plan_rows(int rows, int columns, DType type, bool in_words) {
    constexpr int enough_blocks = 512, sms = 108;
    GemmPlan plan{.in_words = in_words};
    const auto padded = [&](int tile) { return (columns + tile - 1) / tile * tile; };
    const auto fills = [&](int tile) { return plan.row_tiles(rows) * (padded(tile) / tile) >= sms; };
    if (!in_words) {
        if (type == DType::bf16 && padded(128) * 7 <= padded(64) * 8 && fills(128))
            plan.tile_columns = 128;
        else if (columns <= 32 || !fills(64))
            plan.tile_columns = 32;
    }
    const int blocks = plan.row_tiles(rows) * plan.column_tiles(columns);
    plan.row_tiles_of_block = std::clamp(blocks / enough_blocks, 1, 8);
    return plan;
}

/// Of backward_weights. K, `steps` stages of 64 bytes, is cut into slices: as many as are needed for a block on every
/// multiprocessor, and up to four blocks where the slices, 8 bytes an element of C, stay below 5 % of the operands.
inline GemmPlan plan_slices(int rows, int columns, int steps, double operand_bytes, DType type, bool in_words) {
    constexpr int sms = 108, least_steps = 8;
    const auto tiles_of = [&](int tile) { return ((rows + tile - 1) / tile) * ((columns + tile - 1) / tile); };
    const auto cheap_slices = static_cast<int>(0.05 * operand_bytes / (8.0 * rows * columns));
    const auto least_slices = [&](int tile) { return (sms + tiles_of(tile) - 1) / tiles_of(tile); };

    GemmPlan plan{.tile_rows = 64, .tile_columns = 64, .in_words = in_words};
    const bool fits_wide = 4 * tiles_of(128) <= 1.2 * tiles_of(64) && least_slices(128) <= std::max(1, cheap_slices);
    if (type == DType::bf16 && !in_words && fits_wide) plan.tile_rows = plan.tile_columns = 128;
    const int tiles = tiles_of(plan.tile_columns);
    const int wanted = std::clamp(std::max(least_slices(plan.tile_columns), std::min(4 * sms / tiles, cheap_slices)), 1,
                                  std::max(1, steps / least_steps));
    plan.steps_of_slice = (steps + wanted - 1) / wanted;
    plan.slices = (steps + plan.steps_of_slice - 1) / plan.steps_of_slice;
    return plan;
}

}  // namespace karyon::kernels::gpu
