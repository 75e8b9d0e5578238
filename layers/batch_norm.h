#pragma once

#include "layers/module.h"
#include "tensor/ops/normalization.h"

namespace karyon {

/// eps and momentum differ between the published checkpoints: 1e-5 and 0.1 (PyTorch), 1e-3 and 0.01 (TensorFlow).
struct BatchNormOptions {
    float eps = 1e-5f;
    float momentum = 0.1f;  ///< the share of the new value in the running statistics
};

/// Batch normalisation and the activation behind it.
class BatchNorm {
  public:
    BatchNorm() = default;
    BatchNorm(int channels, BatchNormOptions, Activation);

    Tensor operator()(const Tensor& x, const Pass& pass) const {
        return batch_norm(x, parameters, activation, pass.training);
    }
    void visit(const std::string& prefix, const StateVisitor&);

    BatchNormParameters parameters;
    Activation activation = Activation::none;
};

}  // namespace karyon
