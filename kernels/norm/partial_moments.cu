#include "kernels/launch.cuh"
#include "kernels/norm/partial_moments.cuh"

namespace karyon::kernels::gpu {
namespace {

constexpr int block_channels = 32, block_rows = 16;

// Neighbouring lanes take neighbouring channels; each of the block's rows of threads takes every 16th tile, and the
// 16 results are merged in order.
__global__ void merge_moments_kernel(PartialMoments partial, float* mean, float* variance) {
    __shared__ Moments of_row[block_rows][block_channels];
    const int channel = static_cast<int>(blockIdx.x) * block_channels + static_cast<int>(threadIdx.x);
    Moments moments{0, 0, 0};
    if (channel < partial.channels) {
        for (int tile = static_cast<int>(threadIdx.y); tile < partial.tiles; tile += block_rows) {
            const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(tile) * partial.channels + channel;
            moments.add({partial.counts[tile], partial.means[at], partial.m2s[at]});
        }
    }
    of_row[threadIdx.y][threadIdx.x] = moments;
    __syncthreads();
    if (threadIdx.y != 0 || channel >= partial.channels) return;
    for (int row = 1; row < block_rows; ++row) moments.add(of_row[row][threadIdx.x]);
    mean[channel] = moments.mean;
    variance[channel] = moments.m2 / moments.count;
}

}  // namespace

void merge_moments(Stream& stream, const PartialMoments& partial, float* mean, float* variance) {
    const auto blocks = static_cast<unsigned>((partial.channels + block_channels - 1) / block_channels);
    launch("merge_moments", stream, {blocks, dim3(block_channels, block_rows)}, merge_moments_kernel, partial, mean,
           variance);
}

}  // namespace karyon::kernels::gpu
