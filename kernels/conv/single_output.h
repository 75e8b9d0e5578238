#pragma once

#include "kernels/conv/conv2d.h"

/// A convolution to one channel (the logits of a binary segmentation), for which oneDNN computes sixteen and discards
/// fifteen. It is a depthwise convolution summed over its channels.
namespace karyon::kernels::cpu {

/// True for one output channel, a multiple of 16 input channels, and kernel 3 or 5 with stride 1 or 2.
bool is_single_output(const Conv2dShape&);

/// Both for is_single_output only; T: float or bfloat16. bias may be null.
template <typename T>
void single_output_forward(const Conv2dShape&, const T* x, const T* w, const float* bias, T* y);
template <typename T>
void single_output_backward_weights(const Conv2dShape&, const T* x, const T* dy, float* dw);

}  // namespace karyon::kernels::cpu
