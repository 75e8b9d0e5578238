#pragma once

#include <memory>

#include "tensor/ops/convolution.h"
#include "tensor/ops/normalization.h"

namespace karyon {

/// The weights of a network with batch norm folded into them, packed as the CPU's convolutions want them: made when
/// they are first asked for, then kept. For weights that do not change while this lives, and one thread at a time.
class FoldedWeights {
  public:
    FoldedWeights();
    ~FoldedWeights();

    struct Convolution;
    struct Depthwise;
    const Convolution& convolution(const Tensor& weight, const BatchNormParameters&, DType);
    const Depthwise& depthwise(const Tensor& weight, const BatchNormParameters&);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// True where the two ops below may stand for convolution and batch norm: on the CPU, off the tape.
bool can_fold(const Tensor& x);

/// f(batch_norm(conv2d(x * gate, weight))) + residual with the running statistics, for inference: nothing is recorded.
/// gate f32 [n, in] for pointwise convolutions, residual of the result's shape; undefined: none.
Tensor conv2d_norm(const Tensor& x, const Tensor& weight, const BatchNormParameters&, Activation f, int stride,
                   PaddingKind, FoldedWeights&, const Tensor& gate = {}, const Tensor& residual = {});

/// f(batch_norm(depthwise_conv(x, weight))), likewise.
Tensor depthwise_norm(const Tensor& x, const Tensor& weight, const BatchNormParameters&, Activation f, int stride,
                      PaddingKind, FoldedWeights&);

/// The gate of squeeze_excite, f32 [n, c], off the tape.
Tensor squeeze_excite_gate(const Tensor& x, const Tensor& w1, const Tensor& b1, const Tensor& w2, const Tensor& b2);

}  // namespace karyon
