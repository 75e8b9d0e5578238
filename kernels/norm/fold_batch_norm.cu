#include "kernels/launch.cuh"
#include "kernels/norm/fold_batch_norm.h"
#include "kernels/norm/normalise.cuh"
#include "kernels/pack.cuh"

namespace karyon::kernels::gpu {
namespace {

__device__ inline float fold(const Normalisation& bn, int channel, float* bias) {
    float value[3];
    bn.coefficients(channel, value);
    if (bias) bias[channel] = fmaf(-value[0], value[1], value[2]);
    return value[1];
}

// A block for each channel, whose weights lie side by side.
template <typename T>
__global__ void fold_rows_kernel(int weights, Normalisation bn, const float* w, T* folded, float* bias) {
    const int channel = static_cast<int>(blockIdx.x), first = static_cast<int>(threadIdx.x);
    const float scale = fold(bn, channel, first == 0 ? bias : nullptr);
    const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(channel) * weights;
    for (int i = first; i < weights; i += static_cast<int>(blockDim.x))
        folded[row + i] = from_float<T>(w[row + i] * scale);
}

// A thread for each channel; those of neighbours lie side by side.
template <typename T>
__global__ void fold_columns_kernel(int channels, int weights, Normalisation bn, const float* w, T* folded,
                                    float* bias) {
    const int channel = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
    if (channel >= channels) return;
    const float scale = fold(bn, channel, bias);
    for (int i = 0; i < weights; ++i) {
        const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(i) * channels + channel;
        folded[at] = from_float<T>(w[at] * scale);
    }
}

}  // namespace

void fold_batch_norm(Stream& stream, const FoldShape& shape, In w, const Prologue& bn, Out folded, Out bias) {
    constexpr const char* op = "fold_batch_norm";
    if (!bn.mean) throw Error(op, "expected the statistics of a batch normalisation, got none");
    const auto channels = static_cast<unsigned>(shape.channels);
    with_float_type(op, folded.dtype(), [&]<typename T>() {
        if (shape.channels_last) {
            constexpr unsigned threads = 64;
            launch(op, stream, {(channels + threads - 1) / threads, threads}, fold_columns_kernel<T>, shape.channels,
                   shape.weights, Normalisation(bn), w.as<float>(), folded.as<T>(), bias.as<float>());
        } else {
            // The parameters of the norm are read by every warp: a short row takes one.
            const unsigned threads = shape.weights < 1024 ? 32 : 128;
            launch(op, stream, {channels, threads}, fold_rows_kernel<T>, shape.weights, Normalisation(bn),
                   w.as<float>(), folded.as<T>(), bias.as<float>());
        }
    });
}

}  // namespace karyon::kernels::gpu
