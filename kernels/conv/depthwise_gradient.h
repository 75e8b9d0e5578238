#pragma once

#include "kernels/conv/depthwise_conv.h"

namespace karyon::kernels::cpu {

/// dw[r,s,c] = what output rows [first_row, last_row) of a batch, counted through all its images, add to the gradient
/// of w, for channels [first_channel, last_channel). dw is [k, k, channels]. dy has `channels` channels, or one that is
/// the gradient of their sum.
void depthwise_weight_gradient(const DepthwiseConvShape&, const float* x, const float* dy, int dy_channels, float* dw,
                               int first_row, int last_row, int first_channel, int last_channel);

/// dw += the gradient of w from a whole batch, by partial sums added in a fixed order.
void add_depthwise_weight_gradient(const DepthwiseConvShape&, const float* x, const float* dy, int dy_channels,
                                   float* dw);

}  // namespace karyon::kernels::cpu
