#pragma once

#include "kernels/types.h"

namespace karyon::kernels {

/// Zeros around an image, or, where the padding is negative, rows and columns taken off.
/// The gradient is the same op with the padding negated, over the shape of y.
struct PadShape {
    int batch = 1, height = 1, width = 1, channels = 1;  ///< of x
    Padding pad;

    int out_height() const { return height + pad.top + pad.bottom; }
    int out_width() const { return width + pad.left + pad.right; }
};

Cost cost(const PadShape&, DType);

namespace cpu {

/// y [batch, out_height, out_width, channels].
void pad_crop(Stream&, const PadShape&, In x, Out y);

}  // namespace cpu
}  // namespace karyon::kernels
