#include "tensor/ops/convolution.h"

#include "tensor/autograd.h"
#include "tensor/ops/cast.h"
#include "tensor/ops/check.h"
#include "tensor/ops/convolution_shape.h"
#include "tensor/stream.h"

namespace karyon {

using namespace kernels;

Padding padding_for(PaddingKind kind, std::int64_t height, std::int64_t width, int kernel, int stride) {
    return kind == PaddingKind::same ? Padding::same(int(height), int(width), kernel, stride)
                                     : Padding::symmetric(kernel);
}

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, int stride, PaddingKind padding) {
    require_rank("conv2d", "x", x, 4);
    require_rank("conv2d", "weight", weight, 4);
    require_equal("conv2d", "channels of x", x.dim(3), weight.dim(3));
    const Conv2dShape shape = conv2d_shape(x, weight, stride, padding);
    Tensor y = x.empty_like({shape.batch, shape.out_height(), shape.out_width(), shape.out_channels});
    KARYON_RUN(x.device(), conv2d_forward, shape, x, converted(weight, x.dtype()), bias, y);
    if (!will_record({x, weight, bias})) return y;
    return record(
        "conv2d", std::move(y), {x, weight, bias},
        [shape, saved_x = Saved(x), saved_weight = Saved(weight)](const Tensor& dy, const Gradients& gradients) {
            if (gradients.wanted(1)) {
                const bool bias_wanted = gradients.wanted(2);
                KARYON_RUN(dy.device(), conv2d_backward_weights, shape, saved_x.get(), dy,
                           gradients.accumulator(1, saved_weight.shape()),
                           bias_wanted ? gradients.accumulator(2, {shape.out_channels}) : Tensor());
            }
            if (gradients.wanted(0)) {
                Tensor dx = dy.empty_like({shape.batch, shape.height, shape.width, shape.in_channels});
                KARYON_RUN(dy.device(), conv2d_backward_data, shape, dy, converted(saved_weight.get(), dy.dtype()), dx);
                gradients.deliver(0, std::move(dx));
            }
        });
}

Tensor depthwise_conv(const Tensor& x, const Tensor& weight, int stride, PaddingKind padding) {
    require_rank("depthwise_conv", "x", x, 4);
    require_rank("depthwise_conv", "weight", weight, 3);
    require_equal("depthwise_conv", "channels of x", x.dim(3), weight.dim(2));
    const DepthwiseConvShape shape = depthwise_shape(x, weight, stride, padding);
    Tensor y = x.empty_like({shape.batch, shape.out_height(), shape.out_width(), shape.channels});
    KARYON_RUN(x.device(), depthwise_conv_forward, shape, x, weight, y);
    if (!will_record({x, weight})) return y;
    return record(
        "depthwise_conv", std::move(y), {x, weight},
        [shape, saved_x = Saved(x), saved_weight = Saved(weight)](const Tensor& dy, const Gradients& gradients) {
            if (gradients.wanted(1))
                KARYON_RUN(dy.device(), depthwise_conv_backward_weights, shape, saved_x.get(), dy,
                           gradients.accumulator(1, saved_weight.shape()));
            if (gradients.wanted(0)) {
                Tensor dx = dy.empty_like({shape.batch, shape.height, shape.width, shape.channels});
                KARYON_RUN(dy.device(), depthwise_conv_backward_data, shape, dy, saved_weight.get(), dx);
                gradients.deliver(0, std::move(dx));
            }
        });
}

}  // namespace karyon
