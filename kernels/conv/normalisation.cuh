#pragma once

#include "kernels/activation.cuh"
#include "kernels/fusion.h"

namespace karyon::kernels::gpu {

/// A prologue without a gate, as kernels take it: z = (x - mean) * scale + beta, then the activation.
struct Normalisation {
    const float *mean = nullptr, *variance = nullptr, *gamma = nullptr, *beta = nullptr;
    float eps = 0;
    Activation activation = Activation::none;

    Normalisation() = default;
    Normalisation(const char* op, const Prologue& prologue)
        : mean(prologue.mean.as<float>()),
          variance(prologue.variance.as<float>()),
          gamma(prologue.gamma.as<float>()),
          beta(prologue.beta.as<float>()),
          eps(prologue.eps),
          activation(prologue.activation) {
        if (prologue.gate) throw Error(op, "expected a prologue without a gate, got one");
        if (!mean && activation != Activation::none)
            throw Error(op, "expected mean, variance, gamma and beta before an activation, got none");
        if (mean && (!variance || !gamma || !beta))
            throw Error(op, "expected all of mean, variance, gamma and beta, got mean without the others");
    }
};

/// The parameters of a block's channels, in shared memory.
template <int channels>
struct ChannelTable {
    float mean[channels], inverse[channels], gamma[channels], beta[channels];

    /// By all threads of the block; they synchronise before they read.
    __device__ void fill(const Normalisation& from, int first, int count) {
        for (int i = static_cast<int>(threadIdx.x); i < channels; i += static_cast<int>(blockDim.x)) {
            const int c = first + i;
            const bool inside = c < count;
            mean[i] = inside ? from.mean[c] : 0.0f;
            inverse[i] = inside ? 1.0f / sqrtf(from.variance[c] + from.eps) : 0.0f;
            gamma[i] = inside ? from.gamma[c] : 0.0f;
            beta[i] = inside ? from.beta[c] : 0.0f;
        }
    }
};

}  // namespace karyon::kernels::gpu
