#pragma once

#include "kernels/conv/depthwise_tiles.cuh"
#include "kernels/norm/normalise.cuh"

namespace karyon::kernels::gpu::depthwise {

/// Throws Error unless it is a prologue that the depthwise kernels take: without a gate, and no activation alone.
inline void check_prologue(const char* op, const Prologue& prologue) {
    if (prologue.gate) throw Error(op, "expected a prologue without a gate, got one");
    if (!prologue.mean && prologue.activation != Activation::none)
        throw Error(op, "expected mean, variance, gamma and beta before an activation, got none");
    if (prologue.mean && !(prologue.variance && prologue.gamma && prologue.beta))
        throw Error(op, "expected all of mean, variance, gamma and beta, got mean without the others");
}

/// What a block keeps of the batch norm of its channels, in shared memory; 0 behind the last channel.
template <int channels>
struct ChannelTable {
    float mean[channels], scale[channels], beta[channels], inverse[channels];

    /// By all threads of the block; they synchronise before they read.
    __device__ void fill(const Normalisation& norm, int first, int count) {
        for (int i = static_cast<int>(threadIdx.x); i < channels; i += block_threads) {
            float value[3] = {};
            inverse[i] = first + i < count ? norm.coefficients(first + i, value) : 0.0f;
            mean[i] = value[0];
            scale[i] = value[1];
            beta[i] = value[2];
        }
    }
};

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
        scale[i] = table.scale[at];
        beta[i] = table.beta[at];
    }
    for_each_staged_pack(stage, tiles, start, x, [&](int offset, bool inside, const T*) {
        if (!inside) return;
        auto* at = reinterpret_cast<Pack<T>*>(shared + offset);
        Pack<T> pack = *at;
        float value[width];
#pragma unroll
        for (int i = 0; i < width; ++i) value[i] = normalised(to_float(pack.at[i]) - mean[i], scale[i], beta[i]);
        activate_all(value, f);
#pragma unroll
        for (int i = 0; i < width; ++i) pack.at[i] = from_float<T>(value[i]);
        *at = pack;
    });
}

}  // namespace karyon::kernels::gpu::depthwise
