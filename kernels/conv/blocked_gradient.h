#pragma once

#include <cstddef>

namespace karyon::kernels::cpu {

/// Weight gradients of oneDNN in its usual layout, [a / 16, b / 16, taps, 16 of b, 16 of a] f32, and where they belong:
/// element (a, b, tap) of dw is at a * a_step + b * b_step + tap * tap_step.
struct BlockedGradient {
    int a = 0, b = 0, taps = 0;
    std::ptrdiff_t a_step = 0, b_step = 0, tap_step = 0;
};

/// dw += blocks, on all threads. oneDNN's own reorder of it goes element by element.
void add_blocked_gradient(const BlockedGradient&, const float* blocks, float* dw);

}  // namespace karyon::kernels::cpu
