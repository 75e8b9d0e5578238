#pragma once

#include <cstddef>

#include "kernels/conv/conv2d.h"
#include "kernels/elementwise/activation.h"

/// Dense 3x3 convolutions of stride 1 by Winograd's F(4x4, 3x3) (kernels/conv/winograd_math.h): 4 times fewer products
/// than the definition, in f32 whatever is stored. Rounding errors are larger than those of the definition: the
/// test holds |error| <= 5e-6 * sqrt(9 * channels) for values in [-1, 1].
namespace karyon::kernels::cpu {

/// True where winograd_backward_weights is worth its transforms, and in f32 winograd_forward too: 3x3, stride 1, no
/// padding above 2, 16 channels and more on both sides, 1024 pixels and more, on a processor with AVX-512.
bool winograd_serves(const Conv2dShape&);

/// True where winograd_forward is. The processor makes products of bf16 at twice the rate of f32: to gain, it takes 32
/// channels on both sides, 2048 pairs of them, and a processor without AMX, whose rate is higher still.
bool winograd_serves_forward(const Conv2dShape&, DType);

/// The shape of the convolution that makes dx of dy, where the stride is 1.
Conv2dShape winograd_backward_shape(const Conv2dShape&);

/// Floats that transformed weights of a convolution take.
std::size_t winograd_weight_count(int in_channels, int out_channels);

/// In all that follow T is float or bfloat16.

/// Transforms w, [out, 3, 3, in] of the shape or, where `backward`, of the convolution whose winograd_backward_shape it
/// is. `to` [winograd_weight_count] on a 64-byte boundary.
template <typename T>
void winograd_transform_weights(const Conv2dShape&, const T* w, bool backward, float* to);

/// y = f(conv(x) + bias), bias null: 0.
template <typename T>
void winograd_forward(const Conv2dShape&, const T* x, const float* transformed, const float* bias, Activation f, T* y);

/// dw [out, 3, 3, in] += the gradient of w.
template <typename T>
void winograd_backward_weights(const Conv2dShape&, const T* x, const T* dy, float* dw);

}  // namespace karyon::kernels::cpu
