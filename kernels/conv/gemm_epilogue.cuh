#pragma once

#include <type_traits>

#include "kernels/conv/gemm_arguments.cuh"
#include "kernels/reduce.cuh"

/// What happens to a part of a block's tile once it stands in shared memory, in rows of Config::part_stride floats.
namespace karyon::kernels::gpu {

/// A part of C: `rows` x `columns` of it from (first_row, first_column) on, cut at the edges of C.
struct Part {
    float* at;
    int first_row, first_column, rows, columns;
};

/// y = f(C + bias) + residual. With statistics to come, y goes back into the part, unless it is C itself.
template <typename Config, typename T>
__device__ void store_result(const GemmArguments<T>& g, const Part& part) {
    const bool changed = Config::pass == Pass::forward && (g.bias || g.activation != Activation::none || g.residual);
    const auto store_piece = [&]<int count>(int row, int column, std::integral_constant<int, count>) {
        float* const from = part.at + row * Config::part_stride + column;
        const int n = part.first_column + column;
        const std::ptrdiff_t m = part.first_row + row;
        float value[count];
        load_shared(value, from);
        if (changed) {
            if (g.bias) {
#pragma unroll
                for (int i = 0; i < count; ++i) value[i] += g.bias[n + i];
            }
            activate_all(value, g.activation);
            if (g.residual) {
                float other[count];
                load(other, g.residual + m * g.columns + n);
#pragma unroll
                for (int i = 0; i < count; ++i) value[i] += other[i];
            }
            if (g.counts) store_shared(from, value);
        }
        // One store for both: of two, the compiler takes the second apart into elements.
        T* const to = n < g.split ? g.first + m * g.split + n
                      : g.second  ? g.second + m * (g.columns - g.split) + (n - g.split)
                                  : nullptr;
        if (to) store(to, value);
    };
    const int thread = static_cast<int>(threadIdx.x);
    if (g.vector_store) {
        constexpr int width = Pack<T>::width, row_pieces = Config::columns / width;
#pragma unroll 1
        for (int piece = thread; piece < Config::part_rows * row_pieces; piece += Config::threads) {
            const int row = piece / row_pieces, column = piece % row_pieces * width;
            if (row < part.rows && column < part.columns)
                store_piece(row, column, std::integral_constant<int, width>());
        }
    } else {
        for (int i = thread; i < part.rows * part.columns; i += Config::threads)
            store_piece(i / part.columns, i % part.columns, std::integral_constant<int, 1>());
    }
}

/// Adds the part to the moments of its columns: each thread has one column and every so many rows. Distances are taken
/// from a value near the mean, so that their squares lose no digits.
template <typename Config>
__device__ void add_moments(const Part& part, Moments& of_thread) {
    constexpr int rows_at_once = Config::threads / Config::columns;
    const int thread = static_cast<int>(threadIdx.x);
    const int column = thread % Config::columns, first = thread / Config::columns;
    if (first >= part.rows) return;
    Moments moments = of_thread;
    const float near = moments.count > 0 ? moments.mean : part.at[first * Config::part_stride + column];
    float sum = 0, squares = 0;
#pragma unroll 8
    for (int row = first; row < part.rows; row += rows_at_once) {
        const float distance = part.at[row * Config::part_stride + column] - near;
        sum += distance;
        squares += distance * distance;
    }
    const float count = static_cast<float>((part.rows - first + rows_at_once - 1) / rows_at_once);
    const float mean = sum / count, m2 = squares - sum * mean;
    moments.add({count, near + mean, m2 < 0 ? 0.0f : m2});  // NaN stays NaN
    of_thread = moments;
}

/// The moments of all of the block's rows, from those of its threads.
template <typename Config, typename T>
__device__ void store_moments(const GemmArguments<T>& g, int first_column, int block_row, const Moments* of_thread) {
    const int thread = static_cast<int>(threadIdx.x), n = first_column + thread;
    __syncthreads();
    if (thread >= Config::columns || n >= g.columns) return;
    Moments moments = of_thread[thread];
#pragma unroll
    for (int other = thread + Config::columns; other < Config::threads; other += Config::columns)
        moments.add(of_thread[other]);
    const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(block_row) * g.columns + n;
    g.means[at] = moments.mean;
    g.m2s[at] = moments.m2;
    if (n == 0) g.counts[block_row] = moments.count;
}

/// The part of a slice of the weight gradient.
template <typename Config, typename T>
__device__ void store_slice(const GemmArguments<T>& g, int slice, const Part& part) {
    float* const c = g.slices + static_cast<std::ptrdiff_t>(slice) * g.rows * g.columns;
    const auto store_piece = [&]<int count>(int row, int column, std::integral_constant<int, count>) {
        float* const to =
            c + static_cast<std::ptrdiff_t>(part.first_row + row) * g.columns + part.first_column + column;
        float value[count];
        load_shared(value, part.at + row * Config::part_stride + column);
        if (g.slice_count == 1) {
            float before[count];
            load(before, to);
#pragma unroll
            for (int i = 0; i < count; ++i) value[i] += before[i];
        }
        store(to, value);
    };
    const int thread = static_cast<int>(threadIdx.x);
    if (g.vector_store) {
        constexpr int row_pieces = Config::columns / 4;
#pragma unroll 1
        for (int piece = thread; piece < Config::part_rows * row_pieces; piece += Config::threads) {
            const int row = piece / row_pieces, column = piece % row_pieces * 4;
            if (row < part.rows && column < part.columns) store_piece(row, column, std::integral_constant<int, 4>());
        }
    } else {
        for (int i = thread; i < part.rows * part.columns; i += Config::threads)
            store_piece(i / part.columns, i % part.columns, std::integral_constant<int, 1>());
    }
}

}  // namespace karyon::kernels::gpu
