#include "kernels/conv/depthwise_conv.h"

#include <algorithm>
#include <span>
#include <vector>

#include "kernels/conv/blocks.h"
#include "kernels/conv/check_shape.h"
#include "kernels/conv/correlate.h"
#include "kernels/conv/depthwise_bands.h"
#include "kernels/conv/depthwise_gradient.h"
#include "kernels/conv/depthwise_phases.h"
#include "kernels/conv/finish.h"
#include "kernels/float_type.h"

namespace karyon::kernels {

Cost cost(const DepthwiseConvShape& s, DType type) {
    const double pixels = double(s.batch) * s.out_height() * s.out_width(), taps = double(s.kernel) * s.kernel;
    const double elements = (double(s.batch) * s.height * s.width + pixels) * s.channels;
    return {elements * double(size_of(type)) + sizeof(float) * taps * s.channels, 2 * pixels * taps * s.channels};
}

Cost depthwise_backward_weights_cost(const DepthwiseConvShape& s, DType type) {
    Cost result = cost(s, type);
    result.bytes += sizeof(float) * double(s.kernel) * s.kernel * s.channels;
    return result;
}

namespace cpu {
namespace {

/// Runs `phases`, which describe image 0 and write different pixels of it, for the whole batch. A block goes through
/// all of them, so that what they read in common is still in the cache. The first phase has the most pixels.
void correlate_batch(std::span<const Correlation> phases, int batch, std::ptrdiff_t x_image, std::ptrdiff_t y_image,
                     int channels) {
    for_each_block(batch, phases[0].out_height, phases[0].out_width, channels,
                   [&](int image, int first_row, int last_row, int first_channel, int last_channel) {
                       for (Correlation t : phases) {
                           t.x += image * x_image;
                           t.y += image * y_image;
                           correlate(t, first_row, last_row, first_channel, last_channel);
                       }
                   });
}

Correlation forward_of(const DepthwiseConvShape& s, const float* x, const float* w, float* y) {
    const std::ptrdiff_t c = s.channels;
    Correlation t;
    t.x = x, t.x_row_step = c * s.width, t.x_pixel_step = c, t.height = s.height, t.width = s.width;
    t.y = y, t.y_row_step = c * s.out_width(), t.y_pixel_step = c;
    t.out_height = s.out_height(), t.out_width = s.out_width();
    t.w = w, t.w_row_step = c * s.kernel, t.w_tap_step = c;
    t.kernel_height = t.kernel_width = s.kernel;
    t.stride = s.stride, t.pad_top = s.pad.top, t.pad_left = s.pad.left;
    return t;
}

}  // namespace

void depthwise_conv_forward(Stream&, const DepthwiseConvShape& s, In x, In w, Out y) {
    check_depthwise(s);
    const float* const weights = w.as<float>();
    if (x.dtype() == DType::bf16)
        return depthwise_forward_in_bands(s, x.as<bfloat16>(), weights, nullptr, Activation::none, y.as<bfloat16>());
    const Correlation t = forward_of(s, x.as<float>(), weights, y.as<float>());
    correlate_batch({&t, 1}, s.batch, t.x_row_step * s.height, t.y_row_step * s.out_height(), s.channels);
}

void depthwise_conv_activated(Stream&, const DepthwiseConvShape& s, In x, In w, In bias, Activation f, Out y) {
    check_depthwise(s);
    const float *weights = w.as<float>(), *biases = bias.as<float>();
    if (x.dtype() == DType::bf16)
        return depthwise_forward_in_bands(s, x.as<bfloat16>(), weights, biases, f, y.as<bfloat16>());
    Correlation all = forward_of(s, x.as<float>(), weights, y.as<float>());
    all.bias = biases;
    for_each_block(s.batch, s.out_height(), s.out_width(), s.channels,
                   [&](int image, int first_row, int last_row, int first_channel, int last_channel) {
                       Correlation t = all;
                       t.x += image * (t.x_row_step * s.height);
                       t.y += image * (t.y_row_step * s.out_height());
                       for (int row = first_row; row < last_row; ++row) {
                           correlate(t, row, row + 1, first_channel, last_channel);
                           finish_pixels(f, s.out_width(), t.y_pixel_step, last_channel - first_channel,
                                         t.y + row * t.y_row_step + first_channel);
                       }
                   });
}

void depthwise_conv_backward_data(Stream&, const DepthwiseConvShape& s, In dy, In w, Out dx) {
    check_depthwise(s);
    const float* const weights = w.as<float>();
    if (dy.dtype() == DType::bf16)
        return depthwise_backward_data_in_bands(s, dy.as<bfloat16>(), weights, dx.as<bfloat16>());
    const std::ptrdiff_t c = s.channels;
    const auto phases =
        backward_phases(s, {dy.as<float>(), c * s.out_width(), c}, weights, {dx.as<float>(), c * s.width, c});
    correlate_batch(phases, s.batch, c * s.out_width() * s.out_height(), c * s.width * s.height, s.channels);
}

void depthwise_conv_backward_weights(Stream&, const DepthwiseConvShape& s, In x, In dy, Out dw) {
    check_depthwise(s);
    with_float_type("depthwise_conv", x.dtype(), [&]<typename T>() {
        add_depthwise_weight_gradient(s, x.as<T>(), dy.as<T>(), s.channels, dw.as<float>());
    });
}

}  // namespace cpu
}  // namespace karyon::kernels
