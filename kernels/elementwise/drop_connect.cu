#include "kernels/elementwise/drop_connect_scale.h"
#include "kernels/launch.cuh"

namespace karyon::kernels::gpu {
namespace {

constexpr int block_threads = 128;

__global__ void drop_connect_kernel(DropConnect drop, const std::int32_t* stream_offset, float* scale) {
    const int image = static_cast<int>(blockIdx.x) * block_threads + static_cast<int>(threadIdx.x);
    if (image < drop.batch) scale[image] = drop_connect_scale(drop, stream_offset, image);
}

}  // namespace

void drop_connect_scales(Stream& stream, const DropConnect& drop, In stream_offset, Out scale) {
    if (drop.batch == 0) return;
    const auto blocks = static_cast<unsigned>((drop.batch + block_threads - 1) / block_threads);
    launch("drop_connect_scales", stream, {blocks, block_threads}, drop_connect_kernel, drop,
           stream_offset.as<std::int32_t>(), scale.as<float>());
}

}  // namespace karyon::kernels::gpu
