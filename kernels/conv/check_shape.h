#pragma once

#include <string_view>

#include "kernels/conv/depthwise_conv.h"
#include "kernels/error.h"

namespace karyon::kernels {

inline void check_positive(std::string_view op, std::string_view field, int value) {
    if (value <= 0) throw Error(op, "expected a positive {}, got {}", field, value);
}

/// What every convolution shape must satisfy: positive sizes, padding of zero or more, at least one output pixel.
/// `out_height()` alone does not show an empty output, since its division rounds towards zero.
template <typename Shape>
void check_window(std::string_view op, const Shape& shape) {
    check_positive(op, "batch", shape.batch);
    check_positive(op, "height", shape.height);
    check_positive(op, "width", shape.width);
    check_positive(op, "kernel", shape.kernel);
    check_positive(op, "stride", shape.stride);
    const auto& pad = shape.pad;
    if (pad.top < 0 || pad.left < 0 || pad.bottom < 0 || pad.right < 0)
        throw Error(op, "expected padding of zero or more, got top {} left {} bottom {} right {}", pad.top, pad.left,
                    pad.bottom, pad.right);
    const int height = shape.height + pad.top + pad.bottom, width = shape.width + pad.left + pad.right;
    if (height < shape.kernel || width < shape.kernel)
        throw Error(op, "expected height and width with padding of at least the kernel's {}, got {} x {}", shape.kernel,
                    height, width);
}

inline void check_depthwise(const DepthwiseConvShape& shape) {
    constexpr const char* op = "depthwise_conv";
    check_positive(op, "channels", shape.channels);
    check_window(op, shape);
    if (shape.kernel != 3 && shape.kernel != 5) throw Error(op, "expected kernel 3 or 5, got {}", shape.kernel);
    if (shape.stride != 1 && shape.stride != 2) throw Error(op, "expected stride 1 or 2, got {}", shape.stride);
}

}  // namespace karyon::kernels
