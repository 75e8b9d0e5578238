#pragma once

#include "kernels/elementwise/activation.h"
#include "kernels/types.h"

/// What convolutions fuse with their neighbours, so that only raw convolution outputs are ever stored: the consumer
/// normalises as it reads (prologue), the producer takes the batch statistics as it writes (epilogue), the way back
/// recomputes. An empty prologue or epilogue makes the plain convolution.
namespace karyon::kernels {

/// Batch normalisation, activation and squeeze-excite gate, applied to x [rows, channels] as it is read:
///
///   value[r,c] = f((x[r,c] - mean[c]) * scale[c] + beta[c]) * gate[image of r, c],  scale = gamma / sqrt(variance +
///   eps)
///
/// Padding is zero after the prologue, as it is without one.
struct Prologue {
    In mean, variance, gamma, beta;  ///< f32 [channels]; all null: x as it is, and no activation
    float eps = 1e-5f;
    Activation activation = Activation::none;
    In gate;  ///< f32 [batch, channels]; null: 1

    explicit operator bool() const { return mean || gate; }
};

/// What happens to a result z [rows, channels] before it is written, in this order:
///
///   y = f(z + bias) + residual;  mean and variance: of y (as rounded or before, at the kernel's choice) over all rows
struct Epilogue {
    In bias;  ///< f32 [channels]; null: 0
    Activation activation = Activation::none;
    In residual;         ///< of y's type and shape; null: 0
    Out mean, variance;  ///< f32 [channels], the biased variance; both or neither

    explicit operator bool() const { return bias || activation != Activation::none || residual || mean; }
};

}  // namespace karyon::kernels
