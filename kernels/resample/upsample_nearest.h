#pragma once

#include "kernels/types.h"

namespace karyon::kernels {

/// Nearest-neighbour doubling: y[n, i, j, c] = x[n, i / 2, j / 2, c], y [batch, 2 height, 2 width, channels].
struct UpsampleShape {
    int batch = 1, height = 1, width = 1, channels = 1;  ///< of x
};

Cost cost(const UpsampleShape&, DType);

namespace cpu {

void upsample_nearest_forward(Stream&, const UpsampleShape&, In x, Out y);
/// dx = the sum over each 2x2 of dy.
void upsample_nearest_backward(Stream&, const UpsampleShape&, In dy, Out dx);

}  // namespace cpu

namespace gpu {

/// As their cpu counterparts; f32 and bf16. Every element is read and written once.
void upsample_nearest_forward(Stream&, const UpsampleShape&, In x, Out y);
void upsample_nearest_backward(Stream&, const UpsampleShape&, In dy, Out dx);

}  // namespace gpu
}  // namespace karyon::kernels
