#pragma once

#include "kernels/excite/squeeze_excite.h"
#include "kernels/fusion.h"

/// Squeeze-and-excitation between the depthwise and the project convolution of an MBConv block of which only raw
/// convolution outputs are stored. d [batch, pixels, channels] is the raw depthwise output; with the batch
/// normalisation of `bn` (mean, variance, gamma and beta given; its gate is not looked at) and its activation f
///
///   xhat = (d - mean) / sqrt(variance + eps);  z = gamma * xhat + beta;  v = f(z);  gate = as squeeze_excite_gate on v
///
/// and the project convolution reads v * gate through its prologue. v is never stored.
namespace karyon::kernels {

/// Of each of the two ops below, with SiLU: d once; d and dv_gated twice, dd once (the sums over all pixels lie
/// between, and are counted, too).
Cost excite_fused_gate_cost(const SqueezeExciteShape&, DType);
Cost excite_fused_backward_cost(const SqueezeExciteShape&, DType);

/// On device memory of the stream's GPU: d, dv_gated and dd f32 or bf16, all else f32. At most 736 reduced channels.
namespace gpu {

/// pooled [batch, channels], hidden [batch, reduced], gate [batch, channels], as squeeze_excite_gate of v.
void excite_fused_gate(Stream&, const SqueezeExciteShape&, In d, const Prologue& bn, In w1, In b1, In w2, In b2,
                       Out pooled, Out hidden, Out gate);

/// dd, the gradient of d, from dv_gated, the gradient of v * gate; pooled, hidden and gate are those of the forward
/// pass; parameter gradients += (null where not wanted). dd may be the buffer of dv_gated or of d. frozen: mean and
/// variance are constants (evaluation statistics), else functions of d.
///
/// The expanded tensors are read twice. The first pass leaves five sums over the pixels of each image and channel, with
/// s' = f'(z):
///
///   A = sum dv_gated * v   B = sum dv_gated * s'          C = sum s'
///                          D = sum dv_gated * s' * xhat   F = sum s' * xhat
///
/// A is the gradient of the gate; the two small products make dpixel [batch, channels] of it, the gradient that every
/// pixel receives through the mean. Since dz = (dv_gated * gate + dpixel) * s', the two sums that batch normalisation
/// needs follow without another pass:
///
///   dbeta = sum dz = sum over images of gate * B + dpixel * C;  dgamma = sum dz * xhat = ... gate * D + dpixel * F
///
/// and the second pass writes dd = gamma / sqrt(variance + eps) * (dz - dbeta / rows - xhat * dgamma / rows), rows =
/// batch * pixels, without the last two terms where frozen.
void excite_fused_backward(Stream&, const SqueezeExciteShape&, In d, const Prologue& bn, bool frozen, In w1, In w2,
                           In pooled, In hidden, In gate, In dv_gated, Out dd, Out dw1, Out db1, Out dw2, Out db2,
                           Out dgamma, Out dbeta);

}  // namespace gpu
}  // namespace karyon::kernels
