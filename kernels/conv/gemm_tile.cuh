#pragma once

#include "kernels/bfloat16.h"
#include "kernels/mma.cuh"

/// One stage of an operand in shared memory, and its way from there into the registers of the tensor cores.
namespace karyon::kernels::gpu {

/// How an operand lies in memory: its elements along K side by side (x and w of a forward pass), or those along M or N.
enum class Layout { k_major, mn_major };

/// `extent` rows of A or columns of B, times the 64 bytes of K that a stage holds: 32 bf16 or 16 f32. K-major, a row of
/// the tile is 64 bytes of K; MN-major, it is one k. Rows are cut into chunks of 16 bytes, and the chunks of a row
/// change places by an exclusive or, so that 8 lanes that copy, or that ldmatrix reads, always meet 8 different
/// 16-byte columns of the 32 banks:
///
///   K-major, and MN-major with rows of 64 bytes      MN-major bf16             MN-major f32
///   (two rows cover the banks):                      (a row covers them):      (4 k x 8 lanes along M read at once):
///   chunk ^ row / 2 % 4                              chunk ^ row % 8           chunk ^ 2 * (row % 4)
template <typename T, Layout layout_, int extent_>
struct OperandTile {
    static constexpr Layout layout = layout_;
    static constexpr int extent = extent_;
    static constexpr int depth = 64 / sizeof(T);
    static constexpr int rows = layout == Layout::k_major ? extent : depth;
    static constexpr int row_bytes = layout == Layout::k_major ? 64 : extent * static_cast<int>(sizeof(T));
    static constexpr int bytes = rows * row_bytes;

    /// Where byte `byte` of row `row` is.
    __device__ static int offset(int row, int byte) {
        const int key = row_bytes == 64 ? row / 2 % 4 : sizeof(T) == 2 ? row % 8 : 2 * (row % 4);
        return row * row_bytes + ((byte / 16) ^ key) * 16 + byte % 16;
    }
};

/// 32 rows of A for one step of 32 bytes of K: `at[i]` are the registers of rows 16 i ... 16 i + 15.
template <typename Tile>
struct FragmentA {
    unsigned at[2][4];

    __device__ FragmentA(const unsigned char* tile, int first_row, int step, int lane);
};
/// 32 columns of B: `at[i]` are the registers of columns 8 i ... 8 i + 7.
template <typename Tile>
struct FragmentB {
    unsigned at[4][2];

    __device__ FragmentB(const unsigned char* tile, int first_column, int step, int lane);
};

/// There is no transposing load for 4-byte elements. A lane reads 4 neighbours along M (or N) at once instead, and they
/// become the same row r of 4 different products: row r of product half h stands for row 4 r + h of 32.
template <typename T, Layout layout>
inline constexpr bool is_interleaved = layout == Layout::mn_major && sizeof(T) == 4;

/// The row of the warp's tile that element i of the accumulators of (16-row product m) stands for.
template <bool interleaved>
__device__ constexpr int tile_row(int m, int lane, int i) {
    if (interleaved) return m / 2 * 32 + 4 * (lane / 4) + m % 2 * 2 + i / 2;
    return m * 16 + accumulator_row(lane, i);
}
/// The column, likewise, of 8-column product n.
template <bool interleaved>
__device__ constexpr int tile_column(int n, int lane, int i) {
    if (interleaved) return 4 * accumulator_column(lane, i) + n;
    return n * 8 + accumulator_column(lane, i);
}

template <typename Tile>
__device__ FragmentA<Tile>::FragmentA(const unsigned char* tile, int first_row, int step, int lane) {
    constexpr bool is_k_major = Tile::layout == Layout::k_major, is_bf16 = Tile::depth == 32;
    if constexpr (is_k_major) {
#pragma unroll
        for (int m = 0; m < 2; ++m)
            ldmatrix_x4(at[m], tile + Tile::offset(first_row + 16 * m + lane % 16, step * 32 + lane / 16 * 16));
    } else if constexpr (is_bf16) {
#pragma unroll
        for (int m = 0; m < 2; ++m)
            ldmatrix_x4_trans(at[m], tile + Tile::offset(step * 16 + lane % 8 + lane / 16 * 8,
                                                         (first_row + 16 * m + lane / 8 % 2 * 8) * 2));
    } else {
#pragma unroll
        for (int k = 0; k < 2; ++k) {
            const uint4 four = *reinterpret_cast<const uint4*>(
                tile + Tile::offset(step * 8 + lane % 4 + 4 * k, (first_row + lane / 4 * 4) * 4));
            at[0][2 * k] = four.x, at[0][2 * k + 1] = four.y;
            at[1][2 * k] = four.z, at[1][2 * k + 1] = four.w;
        }
    }
}

template <typename Tile>
__device__ FragmentB<Tile>::FragmentB(const unsigned char* tile, int first_column, int step, int lane) {
    constexpr bool is_k_major = Tile::layout == Layout::k_major, is_bf16 = Tile::depth == 32;
    if constexpr (is_k_major || is_bf16) {
#pragma unroll
        for (int n = 0; n < 4; n += 2) {
            unsigned pair[4];
            if constexpr (is_k_major)
                ldmatrix_x4(pair, tile + Tile::offset(first_column + 8 * n + lane % 8 + lane / 16 * 8,
                                                      step * 32 + lane / 8 % 2 * 16));
            else
                ldmatrix_x4_trans(
                    pair, tile + Tile::offset(step * 16 + lane % 16, (first_column + 8 * n + lane / 16 * 8) * 2));
            at[n][0] = pair[0], at[n][1] = pair[1], at[n + 1][0] = pair[2], at[n + 1][1] = pair[3];
        }
    } else {
#pragma unroll
        for (int k = 0; k < 2; ++k) {
            const uint4 four = *reinterpret_cast<const uint4*>(
                tile + Tile::offset(step * 8 + lane % 4 + 4 * k, (first_column + lane / 4 * 4) * 4));
            at[0][k] = four.x, at[1][k] = four.y, at[2][k] = four.z, at[3][k] = four.w;
        }
    }
}

}  // namespace karyon::kernels::gpu
