#pragma once

#include "kernels/activation.cuh"
#include "kernels/fusion.h"
#include "kernels/norm/batch_norm.h"

/// The one way in which kernels normalise, so that all passes see the same z and ReLU cuts at the same elements.
namespace karyon::kernels::gpu {

__device__ inline float inverse_deviation(float variance, float eps) { return 1.0f / sqrtf(variance + eps); }

/// z of distance = x - mean. The mean is taken off first, not folded into beta, which keeps all digits where it is
/// large against the deviation.
__device__ inline float normalised(float distance, float scale, float beta) { return fmaf(distance, scale, beta); }

/// Statistics and parameters of a batch normalisation, [channels]; all null: x as it is.
struct Normalisation {
    const float *mean, *variance, *gamma, *beta;
    float eps;

    Normalisation(In mean_in, In variance_in, In gamma_in, In beta_in, float eps_in)
        : mean(mean_in.as<float>()),
          variance(variance_in.as<float>()),
          gamma(gamma_in.as<float>()),
          beta(beta_in.as<float>()),
          eps(eps_in) {}
    explicit Normalisation(const Prologue& bn) : Normalisation(bn.mean, bn.variance, bn.gamma, bn.beta, bn.eps) {}

    __device__ float inverse(int channel) const { return inverse_deviation(variance[channel], eps); }
    /// Writes mean, scale and beta of a channel to value[0], [1], [2]; returns 1 / deviation.
    __device__ float coefficients(int channel, float* value) const {
        const float inverse_of_channel = mean ? inverse(channel) : 1.0f;
        value[0] = mean ? mean[channel] : 0.0f;
        value[1] = mean ? gamma[channel] * inverse_of_channel : 1.0f;
        value[2] = mean ? beta[channel] : 0.0f;
        return inverse_of_channel;
    }
};

}  // namespace karyon::kernels::gpu
