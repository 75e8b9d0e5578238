#include "kernels/conv/depthwise_conv.h"

#include <algorithm>
#include <span>
#include <vector>

#include "kernels/conv/blocks.h"
#include "kernels/conv/check_shape.h"
#include "kernels/conv/correlate.h"
#include "kernels/conv/depthwise_gradient.h"
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
template <typename T>
void correlate_batch(std::span<const Correlation<T>> phases, int batch, std::ptrdiff_t x_image, std::ptrdiff_t y_image,
                     int channels) {
    for_each_block(batch, phases[0].out_height, phases[0].out_width, channels,
                   [&](int image, int first_row, int last_row, int first_channel, int last_channel) {
                       for (Correlation<T> t : phases) {
                           t.x += image * x_image;
                           t.y += image * y_image;
                           correlate(t, first_row, last_row, first_channel, last_channel);
                       }
                   });
}

/// The taps along one axis that input positions `phase`, phase + stride, ... meet: first, first + stride, ...
/// Position j of the phase is read by outputs j - pad, ..., j - pad + count - 1, the last tap first.
struct PhaseTaps {
    int first, count, pad;

    PhaseTaps(int phase, int stride, int kernel, int padding)
        : first((phase + padding) % stride),
          count(divide_up(kernel - first, stride)),
          pad(count - 1 - (phase + padding - first) / stride) {}

    int last(int stride) const { return first + (count - 1) * stride; }
};

template <typename T>
Correlation<T> forward_of(const DepthwiseConvShape& s, const T* x, const float* w, T* y) {
    const std::ptrdiff_t c = s.channels;
    Correlation<T> t;
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
    with_float_type("depthwise_conv", x.dtype(), [&]<typename T>() {
        const Correlation<T> t = forward_of(s, x.as<T>(), w.as<float>(), y.as<T>());
        correlate_batch<T>({&t, 1}, s.batch, t.x_row_step * s.height, t.y_row_step * s.out_height(), s.channels);
    });
}

void depthwise_conv_activated(Stream&, const DepthwiseConvShape& s, In x, In w, In bias, Activation f, Out y) {
    check_depthwise(s);
    with_float_type("depthwise_conv", x.dtype(), [&]<typename T>() {
        Correlation<T> all = forward_of(s, x.as<T>(), w.as<float>(), y.as<T>());
        all.bias = bias.as<float>();
        for_each_block(s.batch, s.out_height(), s.out_width(), s.channels,
                       [&](int image, int first_row, int last_row, int first_channel, int last_channel) {
                           Correlation<T> t = all;
                           t.x += image * (t.x_row_step * s.height);
                           t.y += image * (t.y_row_step * s.out_height());
                           correlate(t, first_row, last_row, first_channel, last_channel);
                           for (int row = first_row; row < last_row; ++row)
                               finish_pixels(f, s.out_width(), t.y_pixel_step, last_channel - first_channel,
                                             t.y + row * t.y_row_step + first_channel);
                       });
    });
}

/// Input pixels of the same position modulo the stride meet the same taps, so each such phase is a correlation of dy,
/// with stride 1, with those taps in reverse.
void depthwise_conv_backward_data(Stream&, const DepthwiseConvShape& s, In dy, In w, Out dx) {
    check_depthwise(s);
    const std::ptrdiff_t c = s.channels, x_row = c * s.width, y_row = c * s.out_width(), w_row = c * s.kernel;
    with_float_type("depthwise_conv", dy.dtype(), [&]<typename T>() {
        std::vector<Correlation<T>> phases;
        for (int top = 0; top < std::min(s.stride, s.height); ++top)
            for (int left = 0; left < std::min(s.stride, s.width); ++left) {
                const PhaseTaps rows(top, s.stride, s.kernel, s.pad.top), columns(left, s.stride, s.kernel, s.pad.left);
                Correlation<T>& t = phases.emplace_back();
                t.x = dy.as<T>(), t.x_row_step = y_row, t.x_pixel_step = c;
                t.height = s.out_height(), t.width = s.out_width();
                t.y = dx.as<T>() + top * x_row + left * c;
                t.y_row_step = s.stride * x_row, t.y_pixel_step = s.stride * c;
                t.out_height = divide_up(s.height - top, s.stride), t.out_width = divide_up(s.width - left, s.stride);
                t.w = w.as<float>() + rows.last(s.stride) * w_row + columns.last(s.stride) * c;
                t.w_row_step = -s.stride * w_row, t.w_tap_step = -s.stride * c;
                t.kernel_height = rows.count, t.kernel_width = columns.count;
                t.pad_top = rows.pad, t.pad_left = columns.pad;
            }
        correlate_batch<T>(phases, s.batch, y_row * s.out_height(), x_row * s.height, s.channels);
    });
}

void depthwise_conv_backward_weights(Stream&, const DepthwiseConvShape& s, In x, In dy, Out dw) {
    check_depthwise(s);
    with_float_type("depthwise_conv", x.dtype(), [&]<typename T>() {
        add_depthwise_weight_gradient(s, x.as<T>(), dy.as<T>(), s.channels, dw.as<float>());
    });
}

}  // namespace cpu
}  // namespace karyon::kernels
