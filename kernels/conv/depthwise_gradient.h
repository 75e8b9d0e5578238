#pragma once

#include "kernels/conv/depthwise_conv.h"

namespace karyon::kernels::cpu {

/// dw += the gradient of w [k, k, channels] from a whole batch, by partial sums added in a fixed order. dy has
/// `channels` channels, or one that is the gradient of their sum. T: float or bfloat16.
template <typename T>
void add_depthwise_weight_gradient(const DepthwiseConvShape&, const T* x, const T* dy, int dy_channels, float* dw);

}  // namespace karyon::kernels::cpu
