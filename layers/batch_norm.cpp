#include "layers/batch_norm.h"

namespace karyon {

BatchNorm::BatchNorm(int channels, BatchNormOptions options, Activation f)
    : parameters{Tensor::full({channels}, 1),
                 Tensor::zeros({channels}),
                 Tensor::zeros({channels}),
                 Tensor::full({channels}, 1),
                 options.eps,
                 options.momentum},
      activation(f) {}

void BatchNorm::visit(const std::string& prefix, const StateVisitor& visitor) {
    visitor(join(prefix, "weight"), parameters.weight, StateKind::parameter);
    visitor(join(prefix, "bias"), parameters.bias, StateKind::parameter);
    visitor(join(prefix, "running_mean"), parameters.running_mean, StateKind::buffer);
    visitor(join(prefix, "running_var"), parameters.running_variance, StateKind::buffer);
}

}  // namespace karyon
