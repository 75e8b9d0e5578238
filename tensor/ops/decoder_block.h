#pragma once

#include "tensor/ops/convolution_pair.h"

namespace karyon {

/// One stage of the U-Net decoder (layers/decoder_block.h) as one op, where runs_fused():
///
///   a = conv(concat(upsample_nearest(low), skip), weight1);  b = conv(relu(norm1(a)), weight2);  y = relu(norm2(b))
///
/// low [n,h,w,c], skip [n,2h,2w,s] or undefined -> [n,2h,2w,o]. Stored are the raw outputs a and b alone; the upsampled
/// and joined image is in no memory, on neither way. The composition of single ops is its reference.
Tensor decoder_block(const Tensor& low, const Tensor& skip, const ConvolutionPairParameters&, bool training);

}  // namespace karyon
