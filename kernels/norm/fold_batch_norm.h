#pragma once

#include "kernels/fusion.h"

/// Inference: a batch normalisation with constant statistics behind a convolution is a part of its weights,
///
///   BN(conv(x, w)) = conv(x, folded) + bias,  folded = w * scale,  bias = beta - mean * scale,
///   scale[c] = gamma[c] / sqrt(variance[c] + eps)
namespace karyon::kernels {

struct FoldShape {
    int channels = 1;            ///< of the convolution's output
    int weights = 1;             ///< of each of them
    bool channels_last = false;  ///< w is [weights, channels], as depthwise ones are; else [channels, weights]
};

Cost cost(const FoldShape&, DType folded);

namespace gpu {

/// w f32, folded f32 or bf16, both in the layout of the shape; bias f32 [channels]. Of the prologue its mean, variance,
/// gamma, beta and eps count.
void fold_batch_norm(Stream&, const FoldShape&, In w, const Prologue& bn, Out folded, Out bias);

}  // namespace gpu
}  // namespace karyon::kernels
