#pragma once

#include "tensor/ops/convolution_pair.h"

namespace karyon {

struct ResidualBlockParameters {
    ConvolutionPairParameters pair;
    Tensor shortcut_weight;  ///< [o, 1, 1, c]; undefined: the shortcut is x itself
    BatchNormParameters shortcut_norm;
};

/// The basic residual block (layers/residual.h) as one op, where runs_fused():
///
///   a = conv(x, weight1);  b = conv(relu(norm1(a)), weight2);  c = conv(x, shortcut_weight)
///   y = relu(norm2(b) + shortcut_norm(c)), or + x
///
/// x [n,h,w,c] -> [n,h,w,o]. Stored are the raw outputs a, b and c alone. The composition of single ops is its
/// reference.
Tensor residual_block(const Tensor& x, const ResidualBlockParameters&, bool training);

}  // namespace karyon
