#pragma once

#include <algorithm>

#include "kernels/conv/gemm_epilogue.cuh"
#include "kernels/conv/gemm_load.cuh"
#include "kernels/conv/gemm_multiply.cuh"

/// The one kernel of all dense convolutions. A block computes tiles of C; each is a loop over stages of 64 bytes of K,
/// two of which are on their way into shared memory while the tensor cores work on the third.
namespace karyon::kernels::gpu {

/// A kernel is chosen by the element type, the pass, the tile of C, and the size of the pieces that are copied.
template <typename T_, Pass pass_, int rows_, int columns_, int piece_bytes>
struct GemmConfig {
    using T = T_;
    static constexpr Pass pass = pass_;
    static constexpr int rows = rows_, columns = columns_;
    static constexpr int warp_rows = rows * columns == 128 * 128 ? 64 : 32, warp_columns = 32;
    static constexpr int row_warps = rows / warp_rows;
    static constexpr int threads = row_warps * (columns / warp_columns) * 32;
    static constexpr int blocks_per_sm = threads == 128 ? 4 : 2;  // what registers are limited for
    static constexpr int stages = 3;

    static constexpr bool is_weights = pass == Pass::backward_weights;
    using TileA = OperandTile<T, is_weights ? Layout::mn_major : Layout::k_major, rows>;
    using TileB = OperandTile<T, pass == Pass::forward ? Layout::k_major : Layout::mn_major, columns>;
    using SourceA = std::conditional_t<is_weights, Matrix<T>, Pixels<T>>;
    using SourceB = std::conditional_t<is_weights, Pixels<T>, Matrix<T>>;
    using LoaderA = Loader<T, TileA, SourceA, threads, piece_bytes>;
    using LoaderB = Loader<T, TileB, SourceB, threads, piece_bytes>;
    __device__ static const SourceA& source_a(const GemmArguments<T>& g) {
        if constexpr (is_weights)
            return g.matrix;
        else
            return g.pixels;
    }
    __device__ static const SourceB& source_b(const GemmArguments<T>& g) {
        if constexpr (is_weights)
            return g.pixels;
        else
            return g.matrix;
    }
    static constexpr int stage_depth = TileA::depth, stage_bytes = TileA::bytes + TileB::bytes;

    // The tile of C goes out by 64 rows at a time through the same memory. Its rows are so long that the 8-byte (or, of
    // interleaved columns, 16-byte) stores of the accumulators meet all banks.
    static constexpr bool interleaved_rows = is_interleaved<T, TileA::layout>;
    static constexpr bool interleaved_columns = is_interleaved<T, TileB::layout>;
    static constexpr int part_rows = 64, part_stride = columns + (interleaved_columns ? 4 : 8);

    static constexpr int tile_bytes = std::max(stages * stage_bytes, part_rows* part_stride * 4);
    // Then, for forward, the Moments of each thread; and the coefficients of a prologue, as many as there are channels.
    static constexpr int fixed_bytes = tile_bytes + (pass == Pass::forward ? threads * int(sizeof(Moments)) : 0);
};

/// A warp's share of the block's tile of C.
template <typename Config>
struct WarpTile {
    static constexpr int products = Config::warp_rows / 16;
    float sum[products][4][4] = {};

    __device__ static int lane() { return static_cast<int>(threadIdx.x) % 32; }
    __device__ static int first_row() {
        return static_cast<int>(threadIdx.x) / 32 % Config::row_warps * Config::warp_rows;
    }
    __device__ static int first_column() {
        return static_cast<int>(threadIdx.x) / 32 / Config::row_warps * Config::warp_columns;
    }

    /// Adds the product of one stage.
    __device__ void add(const unsigned char* stage, bool three_products) {
#pragma unroll
        for (int step = 0; step < 2; ++step) {
            const FragmentB<typename Config::TileB> b(stage + Config::TileA::bytes, first_column(), step, lane());
#pragma unroll
            for (int m = 0; m < products; m += 2) {
                const FragmentA<typename Config::TileA> a(stage, first_row() + 16 * m, step, lane());
#pragma unroll
                for (int half = 0; half < 2; ++half)
                    multiply_add<typename Config::T>(sum[m + half], a.at[half], b.at, three_products);
            }
        }
    }

    /// Writes the sums to the part of the tile that starts at row `part_row`, if they are in it.
    __device__ void store(float* part, int part_row) const {
        if (first_row() / Config::part_rows != part_row / Config::part_rows) return;
        float* const corner = part + (first_row() - part_row) * Config::part_stride + first_column();
#pragma unroll
        for (int m = 0; m < products; ++m) {
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                float* const row = corner + tile_row<Config::interleaved_rows>(m, lane(), i) * Config::part_stride;
                if constexpr (Config::interleaved_columns)
                    store_shared_16(row + tile_column<true>(0, lane(), i),
                                    float4{sum[m][0][i], sum[m][1][i], sum[m][2][i], sum[m][3][i]});
                else if (i % 2 == 0)
#pragma unroll
                    for (int n = 0; n < 4; ++n)
                        store_shared_8(row + tile_column<false>(n, lane(), i), float2{sum[m][n][i], sum[m][n][i + 1]});
            }
        }
    }
};

template <typename Config>
__global__ void __launch_bounds__(Config::threads, Config::blocks_per_sm)
    gemm_kernel(const __grid_constant__ GemmArguments<typename Config::T> g) {
    extern __shared__ __align__(128) unsigned char shared[];
    constexpr int depth = Config::stage_depth, stages = Config::stages;
    float* const coefficients = reinterpret_cast<float*>(shared + Config::fixed_bytes);
    Moments* const moments = reinterpret_cast<Moments*>(shared + Config::tile_bytes);
    float* const part_memory = reinterpret_cast<float*>(shared);
    if (g.prologue) g.prologue.template prepare<Config::threads>(coefficients);

    const int column_tiles = (g.columns + Config::columns - 1) / Config::columns;
    const int first_column = static_cast<int>(blockIdx.x) % column_tiles * Config::columns;
    int block_row = static_cast<int>(blockIdx.x) / column_tiles, slice = 0, first_step = 0;
    int row = block_row * g.row_tiles_of_block * Config::rows, row_end = row + g.row_tiles_of_block * Config::rows;
    int step_end = (g.depth + depth - 1) / depth;
    if constexpr (Config::is_weights) {
        const int row_tiles = (g.rows + Config::rows - 1) / Config::rows;
        slice = block_row / row_tiles;
        row = (block_row - slice * row_tiles) * Config::rows, row_end = row + Config::rows;
        first_step = slice * g.steps_of_slice;
        step_end = min(step_end, first_step + g.steps_of_slice);
    }

    if constexpr (Config::pass == Pass::forward) moments[threadIdx.x] = {0, 0, 0};
    for (row_end = min(row_end, g.rows); row < row_end; row += Config::rows) {
        const typename Config::LoaderA a(Config::source_a(g), row);
        const typename Config::LoaderB b(Config::source_b(g), first_column);
        const auto stage = [&](int step) { return shared + step % stages * Config::stage_bytes; };
        WarpTile<Config> tile;
        // The first steps, before `first_step`, only start copies.
        for (int step = first_step - (stages - 1); step < step_end; ++step) {
            cp_async_wait<stages - 2>();
            if (g.prologue && step >= first_step) {
                if constexpr (Config::pass == Pass::forward)
                    a.normalise(stage(step), step * depth, g.prologue, coefficients);
                if constexpr (Config::pass == Pass::backward_weights)
                    b.normalise(stage(step) + Config::TileA::bytes, step * depth, g.prologue, coefficients);
            }
            __syncthreads();  // this stage is complete, and all warps are done with the one that is filled next
            if (const int next = step + stages - 1; next < step_end) {
                a.load(stage(next), next * depth);
                b.load(stage(next) + Config::TileA::bytes, next * depth);
            }
            cp_async_commit();
            if (step >= first_step) tile.add(stage(step), g.three_products);
        }

#pragma unroll 1
        for (int part_row = 0; part_row < Config::rows; part_row += Config::part_rows) {
            const int rows = min(Config::part_rows, g.rows - row - part_row);
            if (rows <= 0) break;
            const Part part{part_memory, row + part_row, first_column, rows,
                            min(Config::columns, g.columns - first_column)};
            __syncthreads();
            tile.store(part_memory, part_row);
            __syncthreads();
            if constexpr (Config::is_weights) {
                store_slice<Config>(g, slice, part);
            } else {
                store_result<Config>(g, part);
                if constexpr (Config::pass == Pass::forward) {
                    if (g.counts) {
                        __syncthreads();  // y may have gone back into the part
                        add_moments<Config>(part, moments[threadIdx.x]);
                    }
                }
            }
        }
    }
    if constexpr (Config::pass == Pass::forward)
        if (g.counts) store_moments<Config>(g, first_column, block_row, moments);
}

}  // namespace karyon::kernels::gpu
