#include "tensor/ops/convolution.h"

#include "kernels/conv/conv2d.h"
#include "kernels/conv/depthwise_conv.h"
#include "tensor/autograd.h"
#include "tensor/ops/check.h"
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
    const int kernel = int(weight.dim(1));
    const Conv2dShape shape{
        int(x.dim(0)),      int(x.dim(1)), int(x.dim(2)), int(x.dim(3)),
        int(weight.dim(0)), kernel,        stride,        padding_for(padding, x.dim(1), x.dim(2), kernel, stride)};
    Tensor y = Tensor::empty({shape.batch, shape.out_height(), shape.out_width(), shape.out_channels});
    cpu::conv2d_forward(current_stream(), shape, x, weight, bias, y);
    if (!will_record({x, weight, bias})) return y;
    return record(
        "conv2d", std::move(y), {x, weight, bias},
        [shape, saved_x = Saved(x), saved_weight = Saved(weight)](const Tensor& dy, const Gradients& gradients) {
            if (gradients.wanted(1)) {
                const bool bias_wanted = gradients.wanted(2);
                cpu::conv2d_backward_weights(current_stream(), shape, saved_x.get(), dy,
                                             gradients.accumulator(1, saved_weight.shape()),
                                             bias_wanted ? gradients.accumulator(2, {shape.out_channels}) : Tensor());
            }
            if (gradients.wanted(0)) {
                Tensor dx = Tensor::empty({shape.batch, shape.height, shape.width, shape.in_channels});
                cpu::conv2d_backward_data(current_stream(), shape, dy, saved_weight.get(), dx);
                gradients.deliver(0, std::move(dx));
            }
        });
}

Tensor depthwise_conv(const Tensor& x, const Tensor& weight, int stride, PaddingKind padding) {
    require_rank("depthwise_conv", "x", x, 4);
    require_rank("depthwise_conv", "weight", weight, 3);
    require_equal("depthwise_conv", "channels of x", x.dim(3), weight.dim(2));
    const int kernel = int(weight.dim(0));
    const DepthwiseConvShape shape{int(x.dim(0)),
                                   int(x.dim(1)),
                                   int(x.dim(2)),
                                   int(x.dim(3)),
                                   kernel,
                                   stride,
                                   padding_for(padding, x.dim(1), x.dim(2), kernel, stride)};
    Tensor y = Tensor::empty({shape.batch, shape.out_height(), shape.out_width(), shape.channels});
    cpu::depthwise_conv_forward(current_stream(), shape, x, weight, y);
    if (!will_record({x, weight})) return y;
    return record(
        "depthwise_conv", std::move(y), {x, weight},
        [shape, saved_x = Saved(x), saved_weight = Saved(weight)](const Tensor& dy, const Gradients& gradients) {
            if (gradients.wanted(1))
                cpu::depthwise_conv_backward_weights(current_stream(), shape, saved_x.get(), dy,
                                                     gradients.accumulator(1, saved_weight.shape()));
            if (gradients.wanted(0)) {
                Tensor dx = Tensor::empty({shape.batch, shape.height, shape.width, shape.channels});
                cpu::depthwise_conv_backward_data(current_stream(), shape, dy, saved_weight.get(), dx);
                gradients.deliver(0, std::move(dx));
            }
        });
}

}  // namespace karyon
