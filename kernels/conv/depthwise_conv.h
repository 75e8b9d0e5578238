#pragma once

#include "kernels/elementwise/activation.h"
#include "kernels/types.h"

namespace karyon::kernels {

/// Depthwise cross-correlation, NHWC, weights [k, k, channels]; kernel 3 or 5, stride 1 or 2.
///
///   y[n,p,q,c] = sum_{r,s} x[n, p*stride - pad.top + r, q*stride - pad.left + s, c] * w[r,s,c]
struct DepthwiseConvShape {
    int batch = 1, height = 1, width = 1, channels = 1, kernel = 3, stride = 1;
    Padding pad{};

    int out_height() const { return (height + pad.top + pad.bottom - kernel) / stride + 1; }
    int out_width() const { return (width + pad.left + pad.right - kernel) / stride + 1; }
    bool operator==(const DepthwiseConvShape&) const = default;
};

/// Of one forward pass, the weights in f32; backward data moves and computes as much. Flops are 2 per multiply-add,
/// those of taps outside the image included.
Cost cost(const DepthwiseConvShape&, DType);
/// Of the gradient of the weights: as much, but for dw being read and written.
Cost depthwise_backward_weights_cost(const DepthwiseConvShape&, DType);

namespace cpu {

/// For inference: y = f(conv(x, w) + bias), bias f32 [channels].
void depthwise_conv_activated(Stream&, const DepthwiseConvShape&, In x, In w, In bias, Activation f, Out y);

/// x [batch, height, width, channels], w [k, k, channels] -> y [batch, out_height, out_width, channels].
void depthwise_conv_forward(Stream&, const DepthwiseConvShape&, In x, In w, Out y);
/// dx = the gradient of x, in gather form: every input pixel sums over the outputs that read it.
void depthwise_conv_backward_data(Stream&, const DepthwiseConvShape&, In dy, In w, Out dx);
/// dw += the gradient of w, by partial sums added in a fixed order.
void depthwise_conv_backward_weights(Stream&, const DepthwiseConvShape&, In x, In dy, Out dw);

}  // namespace cpu

namespace gpu {

/// As on the CPU; x, y and their gradients f32 or bf16, w and dw f32. Sums are taken in f32.
void depthwise_conv_forward(Stream&, const DepthwiseConvShape&, In x, In w, Out y);
void depthwise_conv_backward_data(Stream&, const DepthwiseConvShape&, In dy, In w, Out dx);
void depthwise_conv_backward_weights(Stream&, const DepthwiseConvShape&, In x, In dy, Out dw);

/// The first rung, to read and to compare with: one thread an output, every tap from global memory. In use is
/// depthwise_conv_forward, whose tiles read an input once (docs/kernels/depthwise.md).
void depthwise_conv_forward_v1(Stream&, const DepthwiseConvShape&, In x, In w, Out y);

}  // namespace gpu
}  // namespace karyon::kernels
