#pragma once

#include "layers/batch_norm.h"
#include "layers/convolution.h"
#include "tensor/ops/folded.h"
#include "tensor/ops/fused_fold.h"

namespace karyon {

inline bool folds(const Tensor& x, const Pass& pass) { return pass.folded && !pass.training && can_fold(x); }

/// norm(convolution(x)): one op where the pass folds batch norms, and in inference on a GPU, which folds at every call.
inline Tensor conv_norm(const Conv2d& convolution, const BatchNorm& norm, const Tensor& x, const Pass& pass) {
    if (!pass.training && runs_fused(x, false) && !convolution.bias.defined())
        return conv2d_folded(x, convolution.weight, norm.parameters, norm.activation, convolution.stride,
                             convolution.padding);
    if (!folds(x, pass) || convolution.bias.defined()) return norm(convolution(x), pass);
    return conv2d_norm(x, convolution.weight, norm.parameters, norm.activation, convolution.stride, convolution.padding,
                       *pass.folded);
}
inline Tensor conv_norm(const DepthwiseConv& convolution, const BatchNorm& norm, const Tensor& x, const Pass& pass) {
    if (!folds(x, pass)) return norm(convolution(x), pass);
    return depthwise_norm(x, convolution.weight, norm.parameters, norm.activation, convolution.stride,
                          convolution.padding, *pass.folded);
}

}  // namespace karyon
