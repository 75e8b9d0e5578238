#pragma once

#include "kernels/elementwise/activation.h"
#include "kernels/float_type.h"

namespace karyon::kernels::gpu {

/// 1 / (1 + e^-x) by the hardware's exponential and reciprocal, some 1e-7 from exact; 0 and 1 far out, NaN stays NaN.
/// An exact division would cost every kernel registers for its slow path.
__device__ inline float sigmoid(float x) { return __fdividef(1.0f, 1.0f + __expf(-x)); }

/// f(x) of one element.
template <Activation f>
__device__ inline float activate(float x) {
    if constexpr (f == Activation::relu)
        return x < 0.0f ? 0.0f : x;
    else if constexpr (f == Activation::silu)
        return x * sigmoid(x);
    else if constexpr (f == Activation::sigmoid)
        return sigmoid(x);
    else
        return x;
}

/// f'(x) of one element.
template <Activation f>
__device__ inline float activation_slope(float x) {
    if constexpr (f == Activation::relu) {
        return x > 0.0f ? 1.0f : 0.0f;
    } else if constexpr (f == Activation::silu) {
        const float s = sigmoid(x);
        return s * (1.0f + x * (1.0f - s));
    } else if constexpr (f == Activation::sigmoid) {
        const float s = sigmoid(x);
        return s * (1.0f - s);
    } else {
        return 1.0f;
    }
}

/// value = f(value) for many at once. The activation is the same for the whole launch, so that the choice costs a
/// branch for all of them: one kernel for every activation.
template <int count>
__device__ inline void activate_all(float (&value)[count], Activation f) {
    if (f == Activation::relu) {
#pragma unroll
        for (int i = 0; i < count; ++i) value[i] = activate<Activation::relu>(value[i]);
    } else if (f != Activation::none) {
#pragma unroll
        for (int i = 0; i < count; ++i) value[i] = (f == Activation::silu ? value[i] : 1.0f) * sigmoid(value[i]);
    }
}

/// value = f'(value), in the same way.
template <int count>
__device__ inline void activation_slopes(float (&value)[count], Activation f) {
    if (f == Activation::none || f == Activation::relu) {
#pragma unroll
        for (int i = 0; i < count; ++i)
            value[i] = f == Activation::none ? 1.0f : activation_slope<Activation::relu>(value[i]);
    } else {
#pragma unroll
        for (int i = 0; i < count; ++i) {
            const float s = sigmoid(value[i]), rest = 1.0f - s;
            value[i] = s * (f == Activation::silu ? 1.0f + value[i] * rest : rest);
        }
    }
}

/// Calls body with the activation as a constant: `with_activation(f, [&]<Activation f>() { ... })`.
template <typename Body>
void with_activation(Activation f, Body body) {
    switch (f) {
        case Activation::none:
            return body.template operator()<Activation::none>();
        case Activation::relu:
            return body.template operator()<Activation::relu>();
        case Activation::silu:
            return body.template operator()<Activation::silu>();
        case Activation::sigmoid:
            return body.template operator()<Activation::sigmoid>();
    }
}

}  // namespace karyon::kernels::gpu
