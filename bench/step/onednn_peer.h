#pragma once

#include <functional>

#include "kernels/conv/conv2d.h"
#include "kernels/conv/onednn.h"
#include "tensor/tensor.h"

namespace karyon::bench {

/// oneDNN's own direct convolution: the primitive alone, with activations in NHWC and the weights, or their gradient,
/// in the layout that it asks for. `type` is that of the activations; src [batch, height, width, in], dst [batch,
/// out_height, out_width, out] or their gradients.
std::function<void()> onednn_convolution(kernels::cpu::onednn::Direction, const kernels::Conv2dShape&, DType type,
                                         const Tensor& src, const Tensor& dst);

}  // namespace karyon::bench
