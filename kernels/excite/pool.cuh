#pragma once

#include "kernels/channel_sums.cuh"
#include "kernels/excite/squeeze_excite.h"
#include "kernels/norm/normalise.cuh"

namespace karyon::kernels::gpu {

/// partial [images, tiles, 1, channels]: sums of f(BN(x)) / rows over the block's rows.
template <typename T, Activation f>
__global__ __launch_bounds__(ChannelSlabs::block_threads, 3) void pool_kernel(ChannelSlabs slabs, Normalisation bn,
                                                                              const T* x, float* partial) {
    constexpr int width = Pack<T>::width;
    __shared__ alignas(16) float shared[SlabThread<T>::Rows::size];
    const SlabThread<T> thread(slabs);
    float of[3][width], sums[1][width] = {};
    load_coefficients(thread, slabs, shared, of,
                      [&](int channel, float(&value)[3]) { bn.coefficients(channel, value); });
    for_each_pack<16 / width>(thread, {x}, static_cast<T*>(nullptr), [&](int, const auto& in, auto&, int valid) {
#pragma unroll
        for (int k = 0; k < width; ++k)
            if (k < valid) sums[0][k] += activate<f>(normalised(in[0][k] - of[0][k], of[1][k], of[2][k]));
    });
    const float per_row = 1.0f / static_cast<float>(slabs.rows);
#pragma unroll
    for (int k = 0; k < width; ++k) sums[0][k] *= per_row;
    write_partial_sums(thread, slabs, sums, shared, partial);
}

/// Writes n sums where they are wanted: to [images, n, channels].
template <int n>
struct StoreSums {
    int channels;
    float* to;

    __device__ void operator()(int image, int channel, const float (&sums)[n]) const {
#pragma unroll
        for (int i = 0; i < n; ++i) to[(static_cast<std::int64_t>(image) * n + i) * channels + channel] = sums[i];
    }
};

/// Where a kernel writes its sums [images, n, channels]: to `partial` scratch, to be folded, or at once to `sums` where
/// an image is one tile.
inline float* sums_target(const ChannelSlabs& slabs, float* partial, float* sums) {
    return slabs.tiles() == 1 ? sums : partial;
}
template <int n>
void fold_to(const char* op, Stream& stream, const ChannelSlabs& slabs, const float* partial, float* sums) {
    if (slabs.tiles() > 1) fold_partial_sums<n>(op, stream, slabs, partial, StoreSums<n>{slabs.channels, sums});
}

/// pooled [images, channels]: the means of f(BN(x)) over the rows of each image; partial_sums_bytes(slabs, 1) of
/// scratch memory.
template <typename T, Activation f>
void pool(const char* op, Stream& stream, const SqueezeExciteShape& shape, const Normalisation& bn, In x,
          float* pooled) {
    const auto slabs = reduction_slabs<T>(shape.batch, shape.pixels, shape.channels);
    auto* partial = static_cast<float*>(static_cast<CudaStream&>(stream).scratch(partial_sums_bytes(slabs, 1)));
    launch(op, stream, slabs.grid(), pool_kernel<T, f>, slabs, bn, x.as<T>(), sums_target(slabs, partial, pooled));
    fold_to<1>(op, stream, slabs, partial, pooled);
}

}  // namespace karyon::kernels::gpu
