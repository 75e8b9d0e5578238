#include "kernels/conv/correlate.h"

#include "kernels/conv/lanes.h"

namespace karyon::kernels::cpu {
namespace {

/// One output pixel at a border, with bounds on both axes.
template <typename V>
KARYON_INLINE void border_pixel(const Correlation& t, Taps rows, const float* x, int column, const float* w, float* y) {
    const Taps columns = taps_inside(column, t.kernel_width, t.width);
    V sum = V{};
    for (int r = rows.first; r < rows.last; ++r) {
        for (int s = columns.first; s < columns.last; ++s) {
            V value, weight;
            load(value, x + r * t.x_row_step + (column + s) * t.x_pixel_step);
            load(weight, w + (r * t.kernel_width + s) * t.w_channels);
            sum += value * weight;
        }
    }
    store(y, sum);
}

/// Q neighbouring output pixels whose columns are all inside: the sums stay in registers over the whole kernel, and
/// every value of x is loaded once for all the sums that use it.
template <typename V, int K, int S, int Q>
KARYON_INLINE void interior_pixels(const Correlation& t, Taps rows, const float* x, int column, const float* w,
                                   float* y) {
    V sum[Q];
#pragma GCC unroll 8
    for (int q = 0; q < Q; ++q) sum[q] = V{};
    for (int r = rows.first; r < rows.last; ++r) {
        const float* line = x + r * t.x_row_step + column * t.x_pixel_step;
        V weight[K];
#pragma GCC unroll 8
        for (int s = 0; s < K; ++s) load(weight[s], w + (r * K + s) * t.w_channels);
#pragma GCC unroll 16
        for (int i = 0; i < (Q - 1) * S + K; ++i) {
            V value;
            load(value, line + i * t.x_pixel_step);
#pragma GCC unroll 8
            for (int q = 0; q < Q; ++q)
                if (i >= q * S && i < q * S + K) sum[q] += value * weight[i - q * S];
        }
    }
#pragma GCC unroll 8
    for (int q = 0; q < Q; ++q) store(y + q * t.y_pixel_step, sum[q]);
}

/// One output row of N channels.
template <int N, int K, int S>
KARYON_INLINE void correlate_row(const Correlation& t, int p, int channel) {
    constexpr int Q = 4;
    using V = Lanes<N>;
    const int row = p * S - t.pad_top;
    const Taps rows = taps_inside(row, t.kernel_height, t.height);
    const float *x = t.x + row * t.x_row_step + channel, *w = t.w + channel;
    float* y = t.y + p * t.y_row_step + channel;
    for (int q = 0; q < t.out_width;) {
        const int column = q * S - t.pad_left;
        float* pixel = y + q * t.y_pixel_step;
        if (column < 0 || column + K > t.width) {
            border_pixel<V>(t, rows, x, column, w, pixel);
            q += 1;
        } else if (q + Q <= t.out_width && column + (Q - 1) * S + K <= t.width) {
            interior_pixels<V, K, S, Q>(t, rows, x, column, w, pixel);
            q += Q;
        } else {
            interior_pixels<V, K, S, 1>(t, rows, x, column, w, pixel);
            q += 1;
        }
    }
}

/// The last block of a channel range that is no multiple of N overlaps its neighbour: those channels are computed
/// twice.
template <int N, int K, int S>
KARYON_INLINE void correlate_blocks(const Correlation& t, int first_row, int last_row, int first, int last) {
    for (int p = first_row; p < last_row; ++p)
        for (int c = first; c < last; c += N) correlate_row<N, K, S>(t, p, c + N <= last ? c : last - N);
}

template <int K, int S>
KARYON_INLINE void correlate_channels(const Correlation& t, int first_row, int last_row, int first, int last) {
    if (last - first >= 16)
        correlate_blocks<16, K, S>(t, first_row, last_row, first, last);
    else if (last - first >= 4)
        correlate_blocks<4, K, S>(t, first_row, last_row, first, last);
    else
        correlate_blocks<1, K, S>(t, first_row, last_row, first, last);
}

}  // namespace

KARYON_SIMD void correlate(const Correlation& t, int first_row, int last_row, int first_channel, int last_channel) {
    switch (10 * t.kernel_width + t.stride) {
        case 11:
            return correlate_channels<1, 1>(t, first_row, last_row, first_channel, last_channel);
        case 21:
            return correlate_channels<2, 1>(t, first_row, last_row, first_channel, last_channel);
        case 31:
            return correlate_channels<3, 1>(t, first_row, last_row, first_channel, last_channel);
        case 51:
            return correlate_channels<5, 1>(t, first_row, last_row, first_channel, last_channel);
        case 32:
            return correlate_channels<3, 2>(t, first_row, last_row, first_channel, last_channel);
        case 52:
            return correlate_channels<5, 2>(t, first_row, last_row, first_channel, last_channel);
    }
}

}  // namespace karyon::kernels::cpu
