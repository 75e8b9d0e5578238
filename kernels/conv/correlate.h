#pragma once

#include <cstddef>

/// The one inner loop of the depthwise convolution: forward, and both halves of backward data, are all a correlation of
/// planes of channels with a small kernel.
namespace karyon::kernels::cpu {

/// y[p,q,c] = sum_{r,s} x[p*stride - pad_top + r, q*stride - pad_left + s, c] * w[r,s,c], x being zero outside its
/// bounds. Steps are distances in elements, so that y may be every second pixel of an image,
/// and w a kernel read backwards. Padding may be negative.
struct Correlation {
    const float* x = nullptr;
    std::ptrdiff_t x_row_step = 0, x_pixel_step = 0;
    int height = 0, width = 0;  ///< of x

    float* y = nullptr;
    std::ptrdiff_t y_row_step = 0, y_pixel_step = 0;
    int out_height = 0, out_width = 0;

    const float* w = nullptr;
    std::ptrdiff_t w_row_step = 0, w_tap_step = 0;
    const float* bias = nullptr;              ///< [channels], added to y; null: 0
    int kernel_height = 0, kernel_width = 0;  ///< width 1, 2, 3 or 5
    int stride = 1;                           ///< 1 or 2
    int pad_top = 0, pad_left = 0;
};

/// Computes output rows [first_row, last_row), as far as there are any, of channels [first_channel, last_channel).
void correlate(const Correlation&, int first_row, int last_row, int first_channel, int last_channel);

}  // namespace karyon::kernels::cpu
