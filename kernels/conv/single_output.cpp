#include "kernels/conv/single_output.h"

#include "kernels/conv/depthwise_gradient.h"
#include "kernels/conv/lanes.h"

namespace karyon::kernels::cpu {
namespace {

constexpr int N = 16;
using V = Lanes<N>;

DepthwiseConvShape depthwise_shape(const Conv2dShape& s) {
    return {s.batch, s.height, s.width, s.in_channels, s.kernel, s.stride, s.pad};
}

KARYON_INLINE float sum_of(const V& lanes) {
    float part[N];
    store(part, lanes);
    for (int width = N / 2; width > 0; width /= 2)
        for (int i = 0; i < width; ++i) part[i] += part[i + width];
    return part[0];
}

/// Q neighbouring output pixels of one row. x is the image row of kernel row 0, and `column` that of the first tap.
/// Checked: taps may be outside the image on the left and the right.
template <int Q, bool Checked, typename T>
KARYON_INLINE void pixels(const Conv2dShape& s, Taps rows, const T* x, int column, const T* w, float bias, T* y) {
    const std::ptrdiff_t channels = s.in_channels, row_step = channels * s.width;
    V sum[Q];
#pragma GCC unroll 8
    for (int q = 0; q < Q; ++q) sum[q] = V{};
    for (int r = rows.first; r < rows.last; ++r) {
        for (int t = 0; t < s.kernel; ++t) {
            if (Checked && (column + t < 0 || column + t >= s.width)) continue;
            const T* from = x + r * row_step + (column + t) * channels;
            for (std::ptrdiff_t c = 0; c < channels; c += N) {
                V weight;
                load(weight, w + (r * s.kernel + t) * channels + c);
#pragma GCC unroll 8
                for (int q = 0; q < Q; ++q) {
                    V value;
                    load(value, from + q * s.stride * channels + c);
                    sum[q] += value * weight;
                }
            }
        }
    }
#pragma GCC unroll 8
    for (int q = 0; q < Q; ++q) y[q] = T(bias + sum_of(sum[q]));
}

template <typename T>
KARYON_SIMD void output_row(const Conv2dShape& s, const T* x, const T* w, float bias, T* y, int p) {
    constexpr int Q = 8;
    const int row = p * s.stride - s.pad.top, out_width = s.out_width();
    const Taps rows = taps_inside(row, s.kernel, s.height);
    x += std::ptrdiff_t(row) * s.width * s.in_channels;
    for (int q = 0; q < out_width;) {
        const int column = q * s.stride - s.pad.left;
        if (q + Q <= out_width && column >= 0 && column + (Q - 1) * s.stride + s.kernel <= s.width) {
            pixels<Q, false, T>(s, rows, x, column, w, bias, y + q);
            q += Q;
        } else {
            pixels<1, true, T>(s, rows, x, column, w, bias, y + q);
            q += 1;
        }
    }
}

}  // namespace

bool is_single_output(const Conv2dShape& s) {
    return s.out_channels == 1 && s.in_channels % N == 0 && (s.kernel == 3 || s.kernel == 5) &&
           (s.stride == 1 || s.stride == 2);
}

template <typename T>
void single_output_forward(const Conv2dShape& s, const T* x, const T* w, const float* bias, T* y) {
    const int out_height = s.out_height(), out_width = s.out_width();
    const std::ptrdiff_t image = std::ptrdiff_t(s.height) * s.width * s.in_channels;
    const float offset = bias ? *bias : 0;
#pragma omp parallel for collapse(2) schedule(dynamic, 8)
    for (int n = 0; n < s.batch; ++n)
        for (int p = 0; p < out_height; ++p)
            output_row(s, x + n * image, w, offset, y + (std::ptrdiff_t(n) * out_height + p) * out_width, p);
}

template <typename T>
void single_output_backward_weights(const Conv2dShape& s, const T* x, const T* dy, float* dw) {
    add_depthwise_weight_gradient(depthwise_shape(s), x, dy, 1, dw);
}

template void single_output_forward(const Conv2dShape&, const float*, const float*, const float*, float*);
template void single_output_forward(const Conv2dShape&, const bfloat16*, const bfloat16*, const float*, bfloat16*);
template void single_output_backward_weights(const Conv2dShape&, const float*, const float*, float*);
template void single_output_backward_weights(const Conv2dShape&, const bfloat16*, const bfloat16*, float*);

}  // namespace karyon::kernels::cpu
