#pragma once

#include <cstddef>

#include "kernels/conv/lanes.h"

namespace karyon::kernels::cpu {

/// Lanes of the widest vectors.
inline constexpr int tile_lanes = 16;
/// Rows of a block of a product that stays in registers: with two vectors of columns its 16 accumulators, two factors
/// and what the compiler needs fit the 32 registers of AVX-512.
inline constexpr int tile_rows = 8;

/// A matrix of floats as a product walks over it.
struct Strided {
    const float* at;
    std::ptrdiff_t row, column;
};

/// c [tile_rows, vectors * 16] = a [tile_rows, depth] b [depth, vectors * 16], or += where `add`. The columns of b and
/// c are next to each other; b.column is not read.
template <int vectors, bool add>
KARYON_INLINE void multiply_tile(std::ptrdiff_t depth, const Strided& a, const Strided& b, float* c,
                                 std::ptrdiff_t c_row) {
    using V = Lanes<tile_lanes>;
    V sum[tile_rows][vectors];
#pragma GCC unroll 8
    for (int i = 0; i < tile_rows; ++i)
#pragma GCC unroll 2
        for (int j = 0; j < vectors; ++j) {
            sum[i][j] = V{};
            if constexpr (add) load(sum[i][j], c + i * c_row + j * tile_lanes);
        }
    const float *from_a = a.at, *from_b = b.at;
    for (std::ptrdiff_t k = 0; k < depth; ++k, from_a += a.column, from_b += b.row) {
        V columns[vectors];
#pragma GCC unroll 2
        for (int j = 0; j < vectors; ++j) load(columns[j], from_b + j * tile_lanes);
#pragma GCC unroll 8
        for (int i = 0; i < tile_rows; ++i)
#pragma GCC unroll 2
            for (int j = 0; j < vectors; ++j) sum[i][j] += from_a[i * a.row] * columns[j];
    }
#pragma GCC unroll 8
    for (int i = 0; i < tile_rows; ++i)
#pragma GCC unroll 2
        for (int j = 0; j < vectors; ++j) store(c + i * c_row + j * tile_lanes, sum[i][j]);
}

}  // namespace karyon::kernels::cpu
