#pragma once

#include "kernels/conv/depthwise_tiles.cuh"
#include "kernels/conv/normalisation.cuh"

namespace karyon::kernels::gpu {

/// In place, by the threads that copied it: every staged value inside an image is normalised and activated; the zeros
/// of the padding stay.
template <typename T, typename Window>
__device__ void normalise_tile(const Stage<Window>& stage, const Tiles& tiles, const TileStart& start,
                               const Images<const T>& x, const ChannelTable<slab_channels<T>>& table, Activation f,
                               char* shared) {
    constexpr int width = Pack<T>::width;
    float mean[width], scale[width], beta[width];
#pragma unroll
    for (int i = 0; i < width; ++i) {
        const int at = static_cast<int>(threadIdx.x) % 4 * width + i;
        mean[i] = table.mean[at];
        scale[i] = table.gamma[at] * table.inverse[at];
        beta[i] = table.beta[at];
    }
    for_each_pack(stage, tiles, start, x, [&](int offset, bool inside, const T*) {
        if (!inside) return;
        auto* at = reinterpret_cast<Pack<T>*>(shared + offset);
        Pack<T> pack = *at;
#pragma unroll
        for (int i = 0; i < width; ++i)
            pack.at[i] = from_float<T>(activate(f, (to_float(pack.at[i]) - mean[i]) * scale[i] + beta[i]));
        *at = pack;
    });
}

}  // namespace karyon::kernels::gpu
