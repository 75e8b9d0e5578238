#pragma once

#include "kernels/types.h"

namespace karyon::kernels {

/// Squeeze-and-excitation (Hu 2018) as EfficientNet has it:
///
///   pooled[n,c] = mean over pixels of x[n,:,c];  hidden = pooled w1^T + b1;  gate = sigmoid(silu(hidden) w2^T + b2)
///   y[n,p,c] = gate[n,c] * x[n,p,c]
struct SqueezeExciteShape {
    int batch = 1;
    std::int64_t pixels = 1;  ///< height * width
    int channels = 1, reduced = 1;
};

/// Of one forward pass: x is read twice (pool, then scale).
Cost cost(const SqueezeExciteShape&, DType);
/// Of its two parts, and of the way back: x once, dy twice, since the sums over all pixels lie between; these are
/// counted, too.
Cost squeeze_excite_gate_cost(const SqueezeExciteShape&, DType);
Cost squeeze_excite_apply_cost(const SqueezeExciteShape&, DType);
Cost squeeze_excite_backward_cost(const SqueezeExciteShape&, DType);

namespace cpu {

/// x [batch, pixels, channels] -> pooled [batch, channels], hidden (before its SiLU) [batch, reduced],
/// gate [batch, channels], all f32. w1 [reduced, channels], b1 [reduced], w2 [channels, reduced], b2 [channels].
void squeeze_excite_gate(Stream&, const SqueezeExciteShape&, In x, In w1, In b1, In w2, In b2, Out pooled, Out hidden,
                         Out gate);
/// y = gate * x.
void squeeze_excite_apply(Stream&, const SqueezeExciteShape&, In x, In gate, Out y);
/// dx =, dw1 +=, db1 +=, dw2 +=, db2 +=. pooled, hidden and gate are those of the forward pass; a null
/// parameter gradient is not wanted; dy and dx may be the same buffer.
void squeeze_excite_backward(Stream&, const SqueezeExciteShape&, In x, In w1, In w2, In pooled, In hidden, In gate,
                             In dy, Out dx, Out dw1, Out db1, Out dw2, Out db2);

}  // namespace cpu

/// On device memory of the stream's GPU: x, y and their gradients f32 or bf16, all else f32. At most 736 reduced
/// channels.
namespace gpu {

void squeeze_excite_gate(Stream&, const SqueezeExciteShape&, In x, In w1, In b1, In w2, In b2, Out pooled, Out hidden,
                         Out gate);
void squeeze_excite_apply(Stream&, const SqueezeExciteShape&, In x, In gate, Out y);
/// Reads x once and dy twice: for the gradient of the gate, then for dx.
void squeeze_excite_backward(Stream&, const SqueezeExciteShape&, In x, In w1, In w2, In pooled, In hidden, In gate,
                             In dy, Out dx, Out dw1, Out db1, Out dw2, Out db2);

}  // namespace gpu
}  // namespace karyon::kernels
