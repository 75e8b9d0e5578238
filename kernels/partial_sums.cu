#include "kernels/launch.cuh"
#include "kernels/partial_sums.cuh"

namespace karyon::kernels::gpu {
namespace {

constexpr int block_columns = 32, block_rows = 16;

// Neighbouring lanes take neighbouring sums; each row of threads takes every 16th tile, and the 16 results are added in
// order.
__global__ void sum_partials_kernel(int tiles, int count, std::ptrdiff_t stride, const float* partial, float* out,
                                    bool add) {
    __shared__ float of_row[block_rows][block_columns];
    const int at = static_cast<int>(blockIdx.x) * block_columns + static_cast<int>(threadIdx.x);
    float sum = 0;
    if (at < count)
        for (int tile = static_cast<int>(threadIdx.y); tile < tiles; tile += block_rows)
            sum += partial[tile * stride + at];
    of_row[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y != 0 || at >= count) return;
    for (int row = 1; row < block_rows; ++row) sum += of_row[row][threadIdx.x];
    out[at] = add ? out[at] + sum : sum;
}

}  // namespace

void sum_partials(Stream& stream, int tiles, int count, std::ptrdiff_t stride, const float* partial, float* out,
                  bool add) {
    const auto blocks = static_cast<unsigned>((count + block_columns - 1) / block_columns);
    launch("sum_partials", stream, {blocks, dim3(block_columns, block_rows)}, sum_partials_kernel, tiles, count, stride,
           partial, out, add);
}

}  // namespace karyon::kernels::gpu
