#pragma once

#include "kernels/conv/depthwise_conv.h"
#include "kernels/elementwise/activation.h"

/// Depthwise convolutions of bf16. An image is gone through in bands of rows, a slab of channels at a time: what a band
/// reads is widened to floats in a core's cache once, and read from there for every tap.
namespace karyon::kernels::cpu {

/// y = f(conv(x, w) + bias), bias null: 0.
void depthwise_forward_in_bands(const DepthwiseConvShape&, const bfloat16* x, const float* w, const float* bias,
                                Activation f, bfloat16* y);
void depthwise_backward_data_in_bands(const DepthwiseConvShape&, const bfloat16* dy, const float* w, bfloat16* dx);

}  // namespace karyon::kernels::cpu
