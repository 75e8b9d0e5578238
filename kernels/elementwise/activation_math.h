#pragma once

#include "kernels/elementwise/activation.h"
#include "kernels/elementwise/exp.h"

namespace karyon::kernels {

/// silu(-87) is -1.4e-36; holding x there keeps an x far below from growing the product again.
KARYON_INLINE float silu_floor(float x) { return x < -87.0f ? -87.0f : x; }

/// f(x) of one element, for the inner loops of the kernels that fuse an activation.
template <Activation f>
KARYON_INLINE float activate(float x) {
    if constexpr (f == Activation::relu)
        return x < 0.0f ? 0.0f : x;
    else if constexpr (f == Activation::silu)
        return silu_floor(x) / sigmoid_denominator(silu_floor(x));
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
        const float low = silu_floor(x), s = sigmoid_f32(low);
        return s * (1.0f + low * (1.0f - s));
    } else if constexpr (f == Activation::sigmoid) {
        const float s = sigmoid_f32(x);
        return s * (1.0f - s);
    } else {
        return 1.0f;
    }
}

}  // namespace karyon::kernels
