#pragma once

#include "kernels/conv/conv2d.h"
#include "kernels/fusion.h"
#include "kernels/norm/batch_norm.h"
#include "tensor/autograd.h"
#include "tensor/ops/normalization.h"
#include "tensor/stream.h"

/// What the ops share that run a whole block on a GPU and store raw convolution outputs only.
namespace karyon {

/// True where a block runs as one op: on a GPU, unless frozen statistics must carry a gradient.
bool runs_fused(const Tensor& x, bool training);

#if KARYON_HAS_CUDA

/// A batch norm that no pass of its own applies: the convolution before it takes the statistics as it writes, and
/// whoever reads its output normalises. Statistics are of the batch while training, else the running ones.
struct FusedNorm {
    bool training = false;
    kernels::Activation activation = kernels::Activation::none;
    Tensor mean, variance, gamma, beta;
    float eps = 0, momentum = 0;

    FusedNorm() = default;
    FusedNorm(const BatchNormParameters& p, kernels::Activation f, bool training_)
        : training(training_),
          activation(f),
          mean(training ? p.weight.empty_like() : p.running_mean.detach()),
          variance(training ? p.weight.empty_like() : p.running_variance.detach()),
          gamma(p.weight.detach()),
          beta(p.bias.detach()),
          eps(p.eps),
          momentum(p.momentum) {}

    /// For the convolution that writes the raw output.
    kernels::Epilogue statistics() const {
        kernels::Epilogue epilogue;
        if (training) epilogue.mean = mean, epilogue.variance = variance;
        return epilogue;
    }
    /// For whoever reads it.
    kernels::Prologue prologue(const Tensor& gate = {}) const {
        return {mean, variance, gamma, beta, eps, activation, gate};
    }
    kernels::BatchNormShape shape(const Tensor& raw) const {
        return {raw.size() / raw.shape().back(), int(raw.shape().back()), eps, activation};
    }
    /// dx, the gradient of the raw output, from dy, that of what the activation gives; the same tensor or two. gamma
    /// and beta are inputs of the op on the tape, side by side.
    void backward(const Tensor& raw, const Tensor& dy, const Tensor& dx, const Gradients& gradients,
                  std::size_t gamma_input) const {
        kernels::gpu::batch_norm_backward(current_stream(raw.device()), shape(raw), raw, mean, variance, gamma, beta,
                                          dy, dx, gradients.accumulator(gamma_input, gamma.shape()),
                                          gradients.accumulator(gamma_input + 1, beta.shape()));
    }
    /// Once the statistics are taken: moves the running ones while training.
    void update_running(const Tensor& raw, const BatchNormParameters& p) const {
        if (!training) return;
        kernels::gpu::batch_norm_update_running(current_stream(raw.device()), shape(raw), momentum, mean, variance,
                                                p.running_mean, p.running_variance);
    }
};

/// The shape of a convolution at stride 1 that keeps the size: x [n,h,w,in], weight [out,k,k,in].
inline kernels::Conv2dShape convolution(const Tensor& x, const Tensor& weight) {
    const int kernel = int(weight.dim(1));
    return {int(x.dim(0)),
            int(x.dim(1)),
            int(x.dim(2)),
            int(weight.dim(3)),
            int(weight.dim(0)),
            kernel,
            1,
            kernels::Padding::symmetric(kernel)};
}

#endif

}  // namespace karyon
