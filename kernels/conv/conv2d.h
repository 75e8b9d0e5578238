#pragma once

#include "kernels/types.h"

namespace karyon::kernels {

/// Dense 2-D cross-correlation, NHWC, weights [out, k, k, in]. Pointwise convolution is kernel = 1.
///
///   y[n,p,q,o] = bias[o] + sum_{r,s,i} x[n, p*stride - pad.top + r, q*stride - pad.left + s, i] * w[o,r,s,i]
struct Conv2dShape {
    int batch = 1, height = 1, width = 1, in_channels = 1, out_channels = 1, kernel = 1, stride = 1;
    Padding pad{};

    int out_height() const { return (height + pad.top + pad.bottom - kernel) / stride + 1; }
    int out_width() const { return (width + pad.left + pad.right - kernel) / stride + 1; }
    bool operator==(const Conv2dShape&) const = default;
};

/// Of one forward pass; either backward pass moves and computes as much. Flops are 2 per multiply-add, those of taps
/// outside the image included.
Cost cost(const Conv2dShape&, DType);

namespace cpu {

/// True where this processor multiplies bf16 (AVX512-BF16). Elsewhere convolutions of bf16 are slow, or an Error.
bool has_bf16();

/// x, w, y, dy and dx are all f32 or all bf16; bias, dw and dbias are f32.
/// x [batch, height, width, in], w [out, k, k, in], bias [out] or null -> y [batch, out_height, out_width, out].
void conv2d_forward(Stream&, const Conv2dShape&, In x, In w, In bias, Out y);
/// dx = the gradient of x.
void conv2d_backward_data(Stream&, const Conv2dShape&, In dy, In w, Out dx);
/// dw += the gradient of w; dbias += the gradient of bias, unless null.
void conv2d_backward_weights(Stream&, const Conv2dShape&, In x, In dy, Out dw, Out dbias);

}  // namespace cpu

namespace gpu {

/// As cpu::, on device memory of the stream's GPU, by tensor cores. x, w, y, dy and dx are all f32 or all bf16; bias,
/// dw and dbias are f32. Sums are f32; products of f32 are as CudaStream::f32_math says. Fastest where channel counts
/// and pointers are multiples of 16 bytes.
void conv2d_forward(Stream&, const Conv2dShape&, In x, In w, In bias, Out y);
void conv2d_backward_data(Stream&, const Conv2dShape&, In dy, In w, Out dx);
void conv2d_backward_weights(Stream&, const Conv2dShape&, In x, In dy, Out dw, Out dbias);

}  // namespace gpu
}  // namespace karyon::kernels
