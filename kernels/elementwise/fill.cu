#include "kernels/elementwise/fill.h"
#include "kernels/launch.cuh"

namespace karyon::kernels::gpu {
namespace {

constexpr int block_threads = 256;

__global__ void fill_kernel(std::int64_t count, float value, float* y) {
    const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * block_threads + threadIdx.x;
    if (i < count) y[i] = value;
}

}  // namespace

void fill(Stream& stream, std::int64_t count, float value, Out y) {
    if (count == 0) return;
    const auto blocks = static_cast<unsigned>((count + block_threads - 1) / block_threads);
    launch("fill", stream, {blocks, block_threads}, fill_kernel, count, value, y.as<float>());
}

}  // namespace karyon::kernels::gpu
