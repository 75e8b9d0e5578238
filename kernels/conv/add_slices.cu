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

}  // namespace

void add_slices(const char* op, Stream& stream, std::int64_t count, int slice_count, const float* slices, float* sum) {
    unsigned rows = 1;
    while (rows < 16 && static_cast<int>(2 * rows) <= slice_count) rows *= 2;
    const unsigned width = block_threads / rows;
    const auto blocks = static_cast<unsigned>((count + width - 1) / width);
    launch(op, stream, {blocks, dim3(width, rows)}, add_slices_kernel, count, slice_count, slices, sum);
}

}  // namespace karyon::kernels::gpu
