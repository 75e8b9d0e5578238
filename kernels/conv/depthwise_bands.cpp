#include "kernels/conv/depthwise_bands.h"

#include <algorithm>

#include "kernels/bfloat16_rows.h"
#include "kernels/conv/blocks.h"
#include "kernels/conv/depthwise_phases.h"
#include "kernels/conv/finish.h"
#include "kernels/conv/onednn.h"
#include "kernels/simd.h"

namespace karyon::kernels::cpu {
namespace {

KARYON_SIMD void widen(std::int64_t pixels, int channels, const bfloat16* from, std::ptrdiff_t step, float* to) {
    for (std::int64_t pixel = 0; pixel < pixels; ++pixel, from += step, to += channels)
#pragma GCC ivdep
        for (int c = 0; c < channels; ++c) to[c] = float(from[c]);
}
/// Half-open.
struct RowRange {
    int first, last;

    int count() const { return last - first; }
    RowRange inside(int rows) const { return {std::clamp(first, 0, rows), std::clamp(last, 0, rows)}; }
};

/// The rows of x that rows `out` of y read, as far as there are any.
RowRange rows_read(const DepthwiseConvShape& s, RowRange out) {
    const int top = out.first * s.stride - s.pad.top, bottom = (out.last - 1) * s.stride - s.pad.top + s.kernel;
    return RowRange{top, bottom}.inside(s.height);
}
/// The rows of y that read any of rows `in` of x.
RowRange rows_reading(const DepthwiseConvShape& s, RowRange in) {
    const int first = in.first + s.pad.top - s.kernel + 1, last = in.last - 1 + s.pad.top;
    return RowRange{first > 0 ? divide_up(first, s.stride) : 0, last / s.stride + 1}.inside(s.out_height());
}

/// Calls run(rows) for bands of rows whose buffers, of so many floats a row, stay in the second-level cache.
template <typename Run>
void for_each_band(RowRange rows, std::ptrdiff_t floats_per_row, const Run& run) {
    constexpr std::ptrdiff_t floats = 65536;
    const int height = int(std::max<std::ptrdiff_t>(floats / floats_per_row, 1));
    for (int row = rows.first; row < rows.last; row += height) run(RowRange{row, std::min(row + height, rows.last)});
}

float* thread_floats(std::ptrdiff_t count) {
    return reinterpret_cast<float*>(onednn::scratch(std::size_t(count) * sizeof(float), onednn::Use::input).data());
}

/// The correlation of y's rows with the widened rows of x; every row of y goes to `row`, of `channels` floats a pixel.
Correlation forward_of(const DepthwiseConvShape& s, const float* x, const float* w, const float* bias, float* row,
                       int channels) {
    Correlation t;
    t.x = x, t.x_row_step = std::ptrdiff_t(s.width) * channels, t.x_pixel_step = channels;
    t.height = s.height, t.width = s.width;
    t.y = row, t.y_row_step = 0, t.y_pixel_step = channels;
    t.out_height = s.out_height(), t.out_width = s.out_width();
    t.w = w, t.w_row_step = std::ptrdiff_t(s.channels) * s.kernel, t.w_tap_step = s.channels;
    t.bias = bias;
    t.kernel_height = t.kernel_width = s.kernel;
    t.stride = s.stride, t.pad_top = s.pad.top, t.pad_left = s.pad.left;
    return t;
}

}  // namespace

void depthwise_forward_in_bands(const DepthwiseConvShape& s, const bfloat16* x, const float* w, const float* bias,
                                Activation f, bfloat16* y) {
    for_each_block(s.batch, s.out_height(), s.out_width(), s.channels,
                   [&](int image, int first_row, int last_row, int channel, int last_channel) {
                       const int c = last_channel - channel;
                       const std::ptrdiff_t in_row = std::ptrdiff_t(s.width) * c,
                                            out_row = std::ptrdiff_t(s.out_width()) * c;
                       for_each_band({first_row, last_row}, s.stride * in_row, [&](RowRange rows) {
                           const RowRange read = rows_read(s, rows);
                           float *const values = thread_floats(read.count() * in_row + out_row),
                                        *results = values + read.count() * in_row;
                           const std::ptrdiff_t from = std::ptrdiff_t(image) * s.height + read.first;
                           widen(std::int64_t(read.count()) * s.width, c, x + from * s.width * s.channels + channel,
                                 s.channels, values);
                           const Correlation t = forward_of(s, values - read.first * in_row, w + channel,
                                                            bias ? bias + channel : nullptr, results, c);
                           for (int row = rows.first; row < rows.last; ++row) {
                               correlate(t, row, row + 1, 0, c);
                               const std::ptrdiff_t to = std::ptrdiff_t(image) * s.out_height() + row;
                               finish_rows(f, s.out_width(), c, results, y + to * s.out_width() * s.channels + channel,
                                           s.channels);
                           }
                       });
                   });
}

void depthwise_backward_data_in_bands(const DepthwiseConvShape& s, const bfloat16* dy, const float* w, bfloat16* dx) {
    for_each_block(
        s.batch, s.height, s.width, s.channels,
        [&](int image, int first_row, int last_row, int channel, int last_channel) {
            const int c = last_channel - channel;
            const std::ptrdiff_t row = std::ptrdiff_t(s.width) * c, dy_row = std::ptrdiff_t(s.out_width()) * c;
            for_each_band({first_row, last_row}, row + dy_row / s.stride, [&](RowRange rows) {
                const RowRange read = rows_reading(s, rows);
                float *const gradients = thread_floats(read.count() * dy_row + rows.count() * row),
                             *results = gradients + read.count() * dy_row;
                const std::ptrdiff_t from = std::ptrdiff_t(image) * s.out_height() + read.first;
                widen(std::int64_t(read.count()) * s.out_width(), c, dy + from * s.out_width() * s.channels + channel,
                      s.channels, gradients);
                const auto phases = backward_phases(s, {gradients - read.first * dy_row, dy_row, c}, w + channel,
                                                    {results - rows.first * row, row, c});
                for (const Correlation& t : phases) {
                    const int top = int(&t - phases.data()) / std::min(s.stride, s.width);
                    correlate(t, divide_up(rows.first - top, s.stride), divide_up(rows.last - top, s.stride), 0, c);
                }
                const std::ptrdiff_t to = std::ptrdiff_t(image) * s.height + rows.first;
                round_rows(std::int64_t(rows.count()) * s.width, c, results, c,
                           dx + to * s.width * s.channels + channel, s.channels);
            });
        });
}

}  // namespace karyon::kernels::cpu
