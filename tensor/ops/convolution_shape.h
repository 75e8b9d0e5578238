#pragma once

#include "kernels/conv/conv2d.h"
#include "kernels/conv/depthwise_conv.h"
#include "tensor/ops/convolution.h"

namespace karyon {

/// Of a convolution of x [n,h,w,in] with weight [out,k,k,in].
inline kernels::Conv2dShape conv2d_shape(const Tensor& x, const Tensor& weight, int stride, PaddingKind padding) {
    const int kernel = int(weight.dim(1));
    return {int(x.dim(0)),      int(x.dim(1)), int(x.dim(2)), int(x.dim(3)),
            int(weight.dim(0)), kernel,        stride,        padding_for(padding, x.dim(1), x.dim(2), kernel, stride)};
}

/// Of a depthwise convolution of an image as large as x [n,h,w,...] with weight [k,k,c].
inline kernels::DepthwiseConvShape depthwise_shape(const Tensor& x, const Tensor& weight, int stride,
                                                   PaddingKind padding) {
    const int kernel = int(weight.dim(0));
    return {int(x.dim(0)),
            int(x.dim(1)),
            int(x.dim(2)),
            int(weight.dim(2)),
            kernel,
            stride,
            padding_for(padding, x.dim(1), x.dim(2), kernel, stride)};
}

}  // namespace karyon
