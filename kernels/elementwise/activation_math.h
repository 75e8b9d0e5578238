#pragma once

#include "kernels/elementwise/activation.h"
#include "kernels/elementwise/exp.h"

namespace karyon::kernels {

/// f(x) of one element, for the inner loops of the kernels that fuse an activation.
template <Activation f>
KARYON_INLINE float activate(float x) {
    if constexpr (f == Activation::relu)
        return x < 0.0f ? 0.0f : x;
    else if constexpr (f == Activation::silu)
        return x * sigmoid_f32(x);
    else if constexpr (f == Activation::sigmoid)
        return sigmoid_f32(x);
    else
        return x;
}

/// f'(x) of one element.
template <Activation f>
KARYON_INLINE float activation_slope(float x) {
    if constexpr (f == Activation::relu) {
        return x > 0.0f ? 1.0f : 0.0f;
    } else if constexpr (f == Activation::silu) {
        const float s = sigmoid_f32(x);
        return s + x * s * (1.0f - s);
    } else if constexpr (f == Activation::sigmoid) {
        const float s = sigmoid_f32(x);
        return s * (1.0f - s);
    } else {
        return 1.0f;
    }
}

}  // namespace karyon::kernels
