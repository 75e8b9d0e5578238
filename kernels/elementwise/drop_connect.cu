#include "kernels/elementwise/drop_connect.h"
#include "kernels/launch.cuh"
#include "kernels/philox.h"

namespace karyon::kernels::gpu {
namespace {

constexpr int block_threads = 128;

__global__ void drop_connect_kernel(DropConnect drop, const std::int32_t* base, float* scale) {
    const int image = static_cast<int>(blockIdx.x) * block_threads + static_cast<int>(threadIdx.x);
    if (image >= drop.batch) return;
    std::uint64_t position = drop.position + static_cast<std::uint64_t>(image);
    if (base) {
        const auto low = static_cast<std::uint32_t>(base[0]), high = static_cast<std::uint32_t>(base[1]);
        position += low | static_cast<std::uint64_t>(high) << 32;
    }
    const float number = random_unit(random_word(drop.seed, drop.stream, position));
    scale[image] = number < drop.probability ? 0.0f : 1.0f / (1.0f - drop.probability);
}

}  // namespace

void drop_connect_scales(Stream& stream, const DropConnect& drop, Out scale, In base) {
    if (drop.batch == 0) return;
    const auto blocks = static_cast<unsigned>((drop.batch + block_threads - 1) / block_threads);
    launch("drop_connect_scales", stream, {blocks, block_threads}, drop_connect_kernel, drop, base.as<std::int32_t>(),
           scale.as<float>());
}

}  // namespace karyon::kernels::gpu
