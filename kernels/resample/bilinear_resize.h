#pragma once

#include "kernels/types.h"

namespace karyon::kernels {

/// Bilinear resampling with pixel centres at half integers (align_corners = false), edges clamped:
/// output pixel i looks at source position (i + 0.5) * in / out - 0.5.
struct ResizeShape {
    int batch = 1, in_height = 1, in_width = 1, out_height = 1, out_width = 1, channels = 1;
};

Cost cost(const ResizeShape&, DType);

namespace cpu {

/// x [batch, in_height, in_width, channels] -> y [batch, out_height, out_width, channels].
void bilinear_resize_forward(Stream&, const ResizeShape&, In x, Out y);
/// dx = the gradient of x, in a fixed order of addition.
void bilinear_resize_backward(Stream&, const ResizeShape&, In dy, Out dx);

}  // namespace cpu

namespace gpu {

/// As their cpu counterparts; f32 and bf16, weights and sums in f32, sides up to 32767 pixels. backward gathers.
void bilinear_resize_forward(Stream&, const ResizeShape&, In x, Out y);
void bilinear_resize_backward(Stream&, const ResizeShape&, In dy, Out dx);

}  // namespace gpu
}  // namespace karyon::kernels
