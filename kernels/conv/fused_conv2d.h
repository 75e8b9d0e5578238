#pragma once

#include "kernels/conv/conv2d.h"
#include "kernels/fusion.h"

/// Dense convolution fused with what comes before and after it. The definition of each function is the composition that
/// it names; the padding of the convolution is zero, whatever was done to x.
namespace karyon::kernels {

/// What a decoder convolves: concat(upsample_nearest(low), skip) along the channels, which is never stored. Without
/// skip_channels it is upsample_nearest(low).
struct UpsampleConcatInput {
    In low;  ///< [batch, height / 2, width / 2, low_channels]
    int low_channels = 0;
    In skip;  ///< [batch, height, width, skip_channels]
    int skip_channels = 0;
};
/// Its gradient. `upsampled` [batch, height, width, low_channels] is that of upsample_nearest's result:
/// upsample_nearest_backward makes the gradient of `low` of it. `skip` may be null: not wanted.
struct UpsampleConcatGradient {
    Out upsampled;
    int low_channels = 0;
    Out skip;
    int skip_channels = 0;
};

namespace gpu {

/// y = epilogue(conv2d(prologue(x), w)). x, w, y and the residual are all f32 or all bf16.
void conv2d_fused_forward(Stream&, const Conv2dShape&, In x, const Prologue&, In w, const Epilogue&, Out y);
/// dw += the gradient of w, with prologue(x) computed again from x as it is read; dbias += that of bias, unless null.
void conv2d_fused_backward_weights(Stream&, const Conv2dShape&, In x, const Prologue&, In dy, Out dw, Out dbias);

/// y = epilogue(conv2d(concat(upsample_nearest(low), skip), w)). The shape is that of the convolution: height and width
/// even and those of `skip`, in_channels = low_channels + skip_channels.
void conv2d_upsample_concat_forward(Stream&, const Conv2dShape&, const UpsampleConcatInput& x, In w, const Epilogue&,
                                    Out y);
/// The channels of the gradient of the concatenation, written to where they belong.
void conv2d_upsample_concat_backward_data(Stream&, const Conv2dShape&, In dy, In w, const UpsampleConcatGradient& dx);
void conv2d_upsample_concat_backward_weights(Stream&, const Conv2dShape&, const UpsampleConcatInput& x, In dy, Out dw,
                                             Out dbias);

}  // namespace gpu
}  // namespace karyon::kernels
