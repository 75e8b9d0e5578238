#pragma once

#include "kernels/types.h"

namespace karyon::kernels {

/// silu(x) = x * sigmoid(x), both held at their value at -87 below that (1.4e-36 from 0); the derivatives are taken
/// from x, so that only x is kept for the way back.
enum class Activation : std::uint8_t { none, relu, silu, sigmoid };

std::string_view name_of(Activation);

/// Operations of one f(x) and of one f'(x), an exponential and a division being one each and a comparison none.
constexpr double activation_flops(Activation f) { return f == Activation::silu ? 5 : f == Activation::sigmoid ? 4 : 0; }
constexpr double activation_slope_flops(Activation f) {
    return f == Activation::silu ? 8 : f == Activation::sigmoid ? 6 : 0;
}

/// Of one forward pass over `count` elements.
Cost activation_cost(std::int64_t count, DType);

namespace cpu {

/// y = f(x), elementwise; x and y may be the same buffer.
void activation_forward(Stream&, Activation, std::int64_t count, In x, Out y);
/// dx = dy * f'(x); dy and dx may be the same buffer. relu'(0) = 0.
void activation_backward(Stream&, Activation, std::int64_t count, In x, In dy, Out dx);

}  // namespace cpu

namespace gpu {

/// As their cpu counterparts; f32 and bf16, computed in f32 with the hardware's exponential.
void activation_forward(Stream&, Activation, std::int64_t count, In x, Out y);
void activation_backward(Stream&, Activation, std::int64_t count, In x, In dy, Out dx);

}  // namespace gpu
}  // namespace karyon::kernels
