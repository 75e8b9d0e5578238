#pragma once

#include "tensor/tensor.h"

namespace karyon {

/// How an image is padded before a convolution: PyTorch's k/2 on every side, or TensorFlow's SAME (the odd row and
/// column go to the bottom and the right). They differ for stride 2; published checkpoints need one or the other.
enum class PaddingKind : unsigned char { symmetric, same };

kernels::Padding padding_for(PaddingKind, std::int64_t height, std::int64_t width, int kernel, int stride);

/// x [n,h,w,in], weight [out,k,k,in], bias [out] or undefined -> [n,oh,ow,out].
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, int stride, PaddingKind);

/// x [n,h,w,c], weight [k,k,c] -> [n,oh,ow,c].
Tensor depthwise_conv(const Tensor& x, const Tensor& weight, int stride, PaddingKind);

}  // namespace karyon
