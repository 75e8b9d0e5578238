#pragma once

#include "tensor/ops/fused_norm.h"

namespace karyon {

/// What decoder and residual blocks are made of: a 3x3 convolution, batch norm, ReLU, a second one, batch norm.
struct ConvolutionPairParameters {
    Tensor weight1;  ///< [o, 3, 3, c]
    BatchNormParameters norm1;
    Tensor weight2;  ///< [o, 3, 3, o]
    BatchNormParameters norm2;

    /// As inputs of an op: `inputs` of them, norms as gamma and beta.
    static constexpr std::size_t inputs = 6;
    void append_to(std::vector<Tensor>& tape) const;
};

#if KARYON_HAS_CUDA

/// One run of the pair on a GPU: keeps a and b, the raw outputs of the two convolutions.
struct ConvolutionPair {
    ConvolutionPairParameters parameters;  ///< off the tape
    FusedNorm norm1, norm2;
    Tensor a, b;

    /// `last` is the activation behind the second norm.
    ConvolutionPair(const ConvolutionPairParameters&, kernels::Activation last, bool training);

    /// b of a, once a and its statistics are there.
    void second_forward();
    /// da of db, and the gradients of the second convolution and of the first norm. `first` is the position of weight1
    /// among the inputs on the tape. Lets go of a, and of db as soon as it is used.
    Tensor second_backward(Tensor db, const Gradients&, std::size_t first);
};

#endif

}  // namespace karyon
