#pragma once

#include "tensor/ops/convolution.h"
#include "tensor/ops/normalization.h"

namespace karyon {

/// The tensors of one MBConv block (layers/mbconv.h); expand_weight is undefined where the block does not expand.
struct MBConvParameters {
    Tensor expand_weight;  ///< [e, 1, 1, c]
    BatchNormParameters expand_norm;
    Tensor depthwise_weight;  ///< [k, k, e]
    BatchNormParameters depthwise_norm;
    Tensor reduce_weight, reduce_bias, excite_weight, excite_bias;  ///< [r, e], [r], [e, r], [e]
    Tensor project_weight;                                          ///< [o, 1, 1, e]
    BatchNormParameters project_norm;
};

struct MBConvOptions {
    int stride = 1;
    PaddingKind padding = PaddingKind::symmetric;
    bool residual = false;  ///< + x behind the block
    bool training = false;
};

/// The whole block as one op, where runs_fused() (tensor/ops/fused_norm.h), that stores raw convolution outputs only:
/// batch norm, SiLU and the gate are applied by whoever reads them, batch statistics are taken by whoever writes them,
/// and the way back computes them again. Training forward passes over the expanded tensor 5 times (the composition of
/// single ops, its reference: 13 times). image_scale f32 [n] (drop-connect) multiplies the branch; undefined: 1.
Tensor mbconv(const Tensor& x, const MBConvParameters&, const Tensor& image_scale, const MBConvOptions&);

}  // namespace karyon
