#include <algorithm>

#include "kernels/activation.cuh"
#include "kernels/conv/add_slices.cuh"
#include "kernels/launch.cuh"
#include "kernels/pack.cuh"

namespace karyon::kernels::gpu {
namespace {

constexpr int block_threads = 256;

// Neighbouring lanes take neighbouring elements; each of the block's rows of threads takes every so many slices, and
// the first row adds up the others in order.
__global__ void __launch_bounds__(block_threads)
    add_slices_kernel(std::int64_t count, int slice_count, const float* slices, float* sum) {
    __shared__ float of_row[block_threads];
    const auto width = static_cast<int>(blockDim.x), rows = static_cast<int>(blockDim.y);
    const auto column = static_cast<int>(threadIdx.x), row = static_cast<int>(threadIdx.y);
    const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * width + column;
    float value = 0;
    if (i < count)
        for (int slice = row; slice < slice_count; slice += rows) value += slices[slice * count + i];
    of_row[row * width + column] = value;
    __syncthreads();
    if (row != 0 || i >= count) return;
    for (int other = 1; other < rows; ++other) value += of_row[other * width + column];
    sum[i] += value;
}

// A block adds up some rows; its threads stand side by side over as many whole rows as fit, so that they read without
// gaps however few columns there are. More columns than threads: blockIdx.y has 256 of them.
template <typename T>
__global__ void __launch_bounds__(block_threads)
    column_sums_kernel(std::int64_t rows, int columns, int rows_of_block, const T* x, float* slices) {
    __shared__ float of_thread[block_threads];
    const int first_column = static_cast<int>(blockIdx.y) * block_threads;
    const int width = min(columns - first_column, block_threads), height = block_threads / width;
    const auto thread = static_cast<int>(threadIdx.x);
    const int column = thread % width, first_row = thread / width;
    const std::int64_t block_begin = static_cast<std::int64_t>(blockIdx.x) * rows_of_block;
    const std::int64_t block_end = min(rows, block_begin + rows_of_block);
    float value = 0;
    if (first_row < height)
        for (std::int64_t row = block_begin + first_row; row < block_end; row += height)
            value += to_float(x[row * columns + first_column + column]);
    of_thread[thread] = value;
    __syncthreads();
    if (first_row != 0) return;
    for (int other = thread + width; other < height * width; other += width) value += of_thread[other];
    slices[static_cast<std::int64_t>(blockIdx.x) * columns + first_column + column] = value;
}

}  // namespace

void add_slices(const char* op, Stream& stream, std::int64_t count, int slice_count, const float* slices, float* sum) {
    unsigned rows = 1;
    while (rows < 16 && static_cast<int>(2 * rows) <= slice_count) rows *= 2;
    const unsigned width = block_threads / rows;
    const auto blocks = static_cast<unsigned>((count + width - 1) / width);
    launch(op, stream, {blocks, dim3(width, rows)}, add_slices_kernel, count, slice_count, slices, sum);
}

void add_column_sums(const char* op, Stream& stream, std::int64_t rows, int columns, In x, float* sum) {
    constexpr std::int64_t most_blocks = 432, elements_of_block = 8192;
    const std::int64_t wanted = std::clamp<std::int64_t>(rows * columns / elements_of_block, 1, most_blocks);
    const auto rows_of_block = static_cast<int>((rows + wanted - 1) / wanted);
    const auto blocks = static_cast<unsigned>((rows + rows_of_block - 1) / rows_of_block);
    const auto column_blocks = static_cast<unsigned>((columns + block_threads - 1) / block_threads);
    auto* const slices =
        static_cast<float*>(static_cast<CudaStream&>(stream).scratch(sizeof(float) * blocks * columns));
    with_float_type(op, x.dtype(), [&]<typename T>() {
        launch(op, stream, {dim3(blocks, column_blocks), block_threads}, column_sums_kernel<T>, rows, columns,
               rows_of_block, x.as<T>(), slices);
    });
    add_slices(op, stream, columns, static_cast<int>(blocks), slices, sum);
}

}  // namespace karyon::kernels::gpu
