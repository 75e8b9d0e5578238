#pragma once

#include "kernels/conv/depthwise_conv.h"
#include "kernels/fusion.h"

/// Depthwise convolution fused with the batch norms around it, so that only raw convolution outputs are stored: x is
/// the raw output of the layer before, and p = f(BN(x)), what the convolution sees, exists in no memory (the padding is
/// zero in p). All shapes as in depthwise_conv.h; mean, variance, gamma, beta, bias and sums are f32 [channels].
namespace karyon::kernels {

/// Of depthwise_fused_backward_data: x is read as well. The flops are those of the convolution alone, and without the
/// vectors of channels the other two cost what they cost unfused.
Cost depthwise_fused_backward_data_cost(const DepthwiseConvShape&, DType);

namespace gpu {

/// y = g(conv(p, w) + bias); mean and variance of y, of its f32 values before they are rounded to y's type. Error for a
/// gate in the prologue, or a residual in the epilogue.
void depthwise_fused_forward(Stream&, const DepthwiseConvShape&, In x, const Prologue&, In w, const Epilogue&, Out y);

/// dw += the gradient of w, with p recomputed from x.
void depthwise_fused_backward_weights(Stream&, const DepthwiseConvShape&, In x, const Prologue&, In dy, Out dw);

/// dz = the gradient of z = BN(x), which is f'(z) times the gradient of p; of x's type and shape. With an empty
/// prologue it is the gradient of x. From dz and two sums, f32 [channels], the way back through the batch norm follows:
///
///   sum_dz = sum over all rows of dz  (the gradient of beta)
///   sum_dz_xhat = sum over all rows of dz * xhat, xhat = (x - mean) / sqrt(variance + eps)  (the gradient of gamma)
///
/// of the f32 values of dz before they are rounded. Both null: not wanted, as they must be with an empty prologue.
void depthwise_fused_backward_data(Stream&, const DepthwiseConvShape&, In dy, In w, In x, const Prologue&, Out dz,
                                   Out sum_dz, Out sum_dz_xhat);

}  // namespace gpu
}  // namespace karyon::kernels
