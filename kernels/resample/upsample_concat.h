#pragma once

#include "kernels/resample/upsample_nearest.h"

namespace karyon::kernels {

/// What a decoder convolves: y = concat(upsample_nearest(low), skip) along the channels, y [batch, 2 height, 2 width,
/// channels + skip_channels]. On a GPU the convolution gathers both itself (kernels/conv/fused_conv2d.h).
struct UpsampleConcatShape {
    UpsampleShape low;
    int skip_channels = 1;
};

Cost cost(const UpsampleConcatShape&, DType);

namespace cpu {

/// low [batch, height, width, channels], skip [batch, 2 height, 2 width, skip_channels].
void upsample_concat_forward(Stream&, const UpsampleConcatShape&, In low, In skip, Out y);
/// dlow = the sum over each 2x2 of its channels of dy, dskip = its channels; either may be null: not wanted.
void upsample_concat_backward(Stream&, const UpsampleConcatShape&, In dy, Out dlow, Out dskip);

}  // namespace cpu
}  // namespace karyon::kernels
