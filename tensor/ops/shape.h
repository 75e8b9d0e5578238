#pragma once

#include <vector>

#include "kernels/elementwise/drop_connect.h"
#include "tensor/tensor.h"

namespace karyon {

/// a + b, same shape.
Tensor add(const Tensor& a, const Tensor& b);

/// f32 [batch] for scale_images: 0 for the images that drop-connect drops, else 1 / (1 - probability). On a GPU the
/// number in `stream_offset` (i32 [2], low half first; undefined: 0) is added to the stream.
Tensor drop_connect_scales(const kernels::DropConnect&, Device, const Tensor& stream_offset = {});

/// y[n] = scale[n] * x[n] for every image n: drop-connect. scale f32 [batch] carries no gradient.
Tensor scale_images(const Tensor& x, const Tensor& scale);

/// Channels one after the other; all but the last axis agree.
Tensor concat_channels(const std::vector<Tensor>& parts);

/// [n,h,w,c] -> [n,2h,2w,c], nearest.
Tensor upsample_nearest(const Tensor& x);

/// concat_channels({upsample_nearest(x), skip}); on the CPU as one kernel, which never stores the upsampled image.
Tensor upsample_concat(const Tensor& x, const Tensor& skip);

/// [n,h,w,c] -> [n,height,width,c], bilinear with pixel centres at half integers.
Tensor bilinear_resize(const Tensor& x, std::int64_t height, std::int64_t width);

/// Zero rows and columns added around every image; negative padding crops.
Tensor pad_crop(const Tensor& x, kernels::Padding);

}  // namespace karyon
