#pragma once

#include "kernels/types.h"

namespace karyon::kernels {

/// Soft Jaccard distance between sigmoid(logits) = p and a target t in [0, 1], sums over all `count` pixels:
///
///   I = sum p t;  U = sum p + sum t - I;  loss = 1 - (I + smooth) / (U + smooth)
///
/// (the paper's d = (|Y u Y*| - |Y n Y*|) / |Y u Y*|, smoothed as Keras segmentation_models does, 1e-5).
struct JaccardShape {
    std::int64_t count = 1;
    float smooth = 1e-5f;
};

Cost cost(const JaccardShape&, DType);

namespace cpu {

/// logits f32 [count], target u8 (0 or 1) or f32 [count] -> sums f32 [3] = {I, sum p, sum t}, loss f32 [1].
/// Sums are taken in double, in a fixed order.
void jaccard_forward(Stream&, const JaccardShape&, In logits, In target, Out sums, Out loss);
/// dlogits = dloss[0] * the gradient of the loss; sums are those of the forward pass.
void jaccard_backward(Stream&, const JaccardShape&, In logits, In target, In sums, In dloss, Out dlogits);

}  // namespace cpu

namespace gpu {

/// As their cpu counterparts, all arrays on the device; sums of up to 16 pixels are taken in f32, further ones in
/// double.
void jaccard_forward(Stream&, const JaccardShape&, In logits, In target, Out sums, Out loss);
void jaccard_backward(Stream&, const JaccardShape&, In logits, In target, In sums, In dloss, Out dlogits);

}  // namespace gpu
}  // namespace karyon::kernels
