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
    /// Throws Error where more is taken off than there is.
    void check() const;
};

Cost cost(const PadShape&, DType);

namespace cpu {

/// y [batch, out_height, out_width, channels].
void pad_crop(Stream&, const PadShape&, In x, Out y);

}  // namespace cpu

namespace gpu {

/// As cpu::pad_crop; f32 and bf16, the same bits. 16, 4 or 2 bytes move at a time, as the channels allow.
void pad_crop(Stream&, const PadShape&, In x, Out y);

}  // namespace gpu
}  // namespace karyon::kernels
