#pragma once

#include "kernels/elementwise/activation.h"
#include "tensor/tensor.h"

namespace karyon {

using kernels::Activation;

struct BatchNormParameters {
    Tensor weight, bias;                    ///< gamma, beta [c]
    Tensor running_mean, running_variance;  ///< [c], updated in place by a training pass
    float eps = 1e-5f;
    float momentum = 0.1f;  ///< the share of the new value in the running statistics
};

/// Batch normalisation over all but the last axis, then the activation. Training takes the statistics of the batch and
/// updates the running ones; evaluation takes the running ones as constants. Keeps x alone for the way back; its own
/// output is recomputable from it.
Tensor batch_norm(const Tensor& x, const BatchNormParameters&, Activation, bool training);

/// y = f(x). Keeps x alone.
Tensor activation(const Tensor& x, Activation);

/// The squeeze-and-excitation gate (Hu 2018) applied to x [n,h,w,c]; w1 [r,c], b1 [r], w2 [c,r], b2 [c].
Tensor squeeze_excite(const Tensor& x, const Tensor& w1, const Tensor& b1, const Tensor& w2, const Tensor& b2);

}  // namespace karyon
