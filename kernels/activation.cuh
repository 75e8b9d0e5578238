#pragma once

#include "kernels/elementwise/activation.h"

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

/// f(x) and f'(x) where f is the same for all threads but not known to the compiler: one kernel for every activation.
/// Selections, not branches, so that many values stay one piece of straight code.
__device__ inline float activate(Activation f, float x) {
    const float s = sigmoid(x), smooth = f == Activation::silu ? x * s : s;
    const float sharp = f == Activation::relu ? activate<Activation::relu>(x) : x;
    return f == Activation::silu || f == Activation::sigmoid ? smooth : sharp;
}
__device__ inline float activation_slope(Activation f, float x) {
    const float s = sigmoid(x), rest = 1.0f - s, smooth = f == Activation::silu ? s * (1.0f + x * rest) : s * rest;
    const float sharp = f == Activation::relu ? activation_slope<Activation::relu>(x) : 1.0f;
    return f == Activation::silu || f == Activation::sigmoid ? smooth : sharp;
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

/// Calls body with the element type, f32 or bf16: `with_float_type("add", y.dtype(), [&]<typename T>() { ... })`.
template <typename Body>
void with_float_type(const char* op, DType type, Body body) {
    switch (type) {
        case DType::f32:
            return body.template operator()<float>();
        case DType::bf16:
            return body.template operator()<bfloat16>();
        default:
            throw Error(op, "expected f32 or bf16 elements, got {}", name_of(type));
    }
}

}  // namespace karyon::kernels::gpu
