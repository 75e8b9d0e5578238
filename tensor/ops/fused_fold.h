#pragma once

#include "tensor/ops/convolution.h"
#include "tensor/ops/fused_norm.h"

namespace karyon {

/// f(BN(conv2d(x, weight))) with the running statistics as constants, as one convolution on a GPU: the norm is folded
/// into its weights, the bias and the activation are in its epilogue. Nothing is recorded; for where runs_fused().
Tensor conv2d_folded(const Tensor& x, const Tensor& weight, const BatchNormParameters&, Activation, int stride,
                     PaddingKind);

#if KARYON_HAS_CUDA

/// The weights of a convolution with the batch norm behind it folded in, for one call. They are not kept: in bf16 the
/// weights are converted at every call anyway, which is the same traffic, and there is no second copy that could be out
/// of date. (On the CPU, tensor/ops/folded.h, weights are packed as well, which costs more than reading them.)
struct FoldedConvolution {
    Tensor weight, bias;
    kernels::Activation activation;

    /// Of a dense convolution [o,k,k,c], or a depthwise one [k,k,c] (which stays f32), for inputs of `type`.
    FoldedConvolution(const Tensor& weight, const FusedNorm&, DType type);
    kernels::Epilogue epilogue(const Tensor& residual = {}) const { return {bias, activation, residual, {}, {}}; }
};

#endif

}  // namespace karyon
