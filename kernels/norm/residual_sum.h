#pragma once

#include "kernels/fusion.h"

/// The end of a basic residual block of which only raw convolution outputs are stored:
///
///   z[r,c] = BN(x)[r,c] + shortcut[r,c];  y = max(z, 0)
///
/// where the shortcut may have a batch normalisation of its own: a convolution's raw output, else it is added as it is.
namespace karyon::kernels {

struct ResidualSumShape {
    std::int64_t rows = 1;
    int channels = 1;
};

/// Of one forward pass, and of the way back: x, shortcut and dy once, dz once. `two_norms`: the shortcut has one.
Cost residual_sum_cost(const ResidualSumShape&, bool two_norms, DType);
Cost residual_sum_backward_cost(const ResidualSumShape&, bool two_norms, DType);

namespace gpu {

/// x, shortcut, y [rows, channels], all f32 or all bf16; y may be one of the others. Of the prologues mean, variance,
/// gamma, beta and eps count; an empty one for the shortcut: none.
void residual_sum_forward(Stream&, const ResidualSumShape&, In x, const Prologue& bn, In shortcut,
                          const Prologue& shortcut_bn, Out y);

/// dz = dy where z > 0, else 0, the gradient of BN(x) and of the shortcut as it is added; dz may be dy. And the sums
/// over all rows from which batch_norm_backward_apply makes the gradients of x, of the raw shortcut and of both norms'
/// parameters, f32 [channels]:
///
///   sum_dz = sum dz;  sum_dz_xhat = sum dz * xhat;  the same with the xhat of the shortcut, null where it has no norm
void residual_sum_backward(Stream&, const ResidualSumShape&, In x, const Prologue& bn, In shortcut,
                           const Prologue& shortcut_bn, In dy, Out dz, Out sum_dz, Out sum_dz_xhat,
                           Out sum_dz_xhat_shortcut);

}  // namespace gpu
}  // namespace karyon::kernels
