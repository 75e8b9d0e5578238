#include "kernels/conv/blocked_gradient.h"

#include <algorithm>

#include "kernels/blocks.h"
#include "kernels/simd.h"

namespace karyon::kernels::cpu {
namespace {

constexpr int side = 16;

/// dw[i * row_step + j] += block[i * block_row + j * block_column] for i < rows, j < columns.
template <int block_row, int block_column>
KARYON_INLINE void add_block(int rows, int columns, const float* block, float* dw, std::ptrdiff_t row_step) {
    for (int i = 0; i < rows; ++i)
#pragma GCC ivdep
        for (int j = 0; j < columns; ++j) dw[i * row_step + j] += block[i * block_row + j * block_column];
}

/// The taps of one block; the axis with step 1 is walked innermost.
KARYON_SIMD void add_taps(const BlockedGradient& g, int rows_a, int rows_b, const float* blocks, float* dw) {
    for (int tap = 0; tap < g.taps; ++tap, blocks += side * side, dw += g.tap_step) {
        if (g.b_step == 1 && rows_a == side && rows_b == side)
            add_block<1, side>(side, side, blocks, dw, g.a_step);
        else if (g.b_step == 1)
            add_block<1, side>(rows_a, rows_b, blocks, dw, g.a_step);
        else
            add_block<side, 1>(rows_b, rows_a, blocks, dw, g.b_step);
    }
}

}  // namespace

void add_blocked_gradient(const BlockedGradient& g, const float* blocks, float* dw) {
    const int a_blocks = (g.a + side - 1) / side, b_blocks = (g.b + side - 1) / side;
    const std::int64_t size = std::int64_t(g.taps) * side * side;
    for_each_item(a_blocks, [&](std::int64_t a_block) {
        for (int b_block = 0; b_block < b_blocks; ++b_block) {
            const int a = int(a_block) * side, b = b_block * side;
            add_taps(g, std::min(side, g.a - a), std::min(side, g.b - b),
                     blocks + (a_block * b_blocks + b_block) * size, dw + a * g.a_step + b * g.b_step);
        }
    });
}

}  // namespace karyon::kernels::cpu
