#include "kernels/conv/depthwise_gradient.h"

#include "kernels/conv/lanes.h"

namespace karyon::kernels::cpu {
namespace {

/// One kernel row of N channels: where its output row begins, its input row, and how many pixels they have.
struct Line {
    const float *x, *dy;
    std::ptrdiff_t step;  ///< from pixel to pixel: the number of channels
    int width, out_width, pad_left;
};

/// sum[s] += dy[q] * x[q*S - pad_left + s] at a border pixel.
template <typename V, int K, int S>
KARYON_INLINE void add_border(V (&sum)[K], const Line& line, int q) {
    const int column = q * S - line.pad_left;
    V gradient;
    load(gradient, line.dy + q * line.step);
#pragma GCC unroll 8
    for (int s = 0; s < K; ++s) {
        if (column + s < 0 || column + s >= line.width) continue;
        V value;
        load(value, line.x + (column + s) * line.step);
        sum[s] += value * gradient;
    }
}

/// The same for Q neighbouring pixels that are inside with all taps: every value of x is loaded once.
template <typename V, int K, int S, int Q>
KARYON_INLINE void add_interior(V (&sum)[K], const Line& line, int q) {
    const float *x = line.x + (q * S - line.pad_left) * line.step, *dy = line.dy + q * line.step;
    V gradient[Q];
#pragma GCC unroll 8
    for (int j = 0; j < Q; ++j) load(gradient[j], dy + j * line.step);
#pragma GCC unroll 16
    for (int i = 0; i < (Q - 1) * S + K; ++i) {
        V value;
        load(value, x + i * line.step);
#pragma GCC unroll 8
        for (int j = 0; j < Q; ++j)
            if (i >= j * S && i < j * S + K) sum[i - j * S] += value * gradient[j];
    }
}

template <typename V, int K, int S>
KARYON_INLINE void add_line(V (&sum)[K], const Line& line) {
    constexpr int Q = 4;
    for (int q = 0; q < line.out_width;) {
        const int column = q * S - line.pad_left;
        if (column >= 0 && q + Q <= line.out_width && column + (Q - 1) * S + K <= line.width) {
            add_interior<V, K, S, Q>(sum, line, q);
            q += Q;
        } else {
            add_border<V, K, S>(sum, line, q);
            q += 1;
        }
    }
}

struct Rows {
    int first, last;
};

/// The K sums of a kernel row stay in registers along a whole output row.
template <int N, int K, int S>
KARYON_INLINE void add_row(const DepthwiseConvShape& shape, const float* x, const float* dy, float* dw, int p, int c) {
    using V = Lanes<N>;
    const std::ptrdiff_t channels = shape.channels;
    const Taps rows = taps_inside(p * S - shape.pad.top, K, shape.height);
    for (int r = rows.first; r < rows.last; ++r) {
        const int h = p * S - shape.pad.top + r;
        const Line line{x + h * shape.width * channels + c,
                        dy + p * shape.out_width() * channels + c,
                        channels,
                        shape.width,
                        shape.out_width(),
                        shape.pad.left};
        float* to = dw + r * K * channels + c;
        V sum[K];
#pragma GCC unroll 8
        for (int s = 0; s < K; ++s) load(sum[s], to + s * channels);
        add_line<V, K, S>(sum, line);
#pragma GCC unroll 8
        for (int s = 0; s < K; ++s) store(to + s * channels, sum[s]);
    }
}

/// Only whole blocks of N channels: a sum must not be added twice.
template <int N, int K, int S>
KARYON_INLINE int add_blocks(const DepthwiseConvShape& shape, const float* x, const float* dy, float* dw, Rows rows,
                             int first, int last) {
    const int end = first + (last - first) / N * N;
    for (int p = rows.first; p < rows.last; ++p)
        for (int c = first; c < end; c += N) add_row<N, K, S>(shape, x, dy, dw, p, c);
    return end;
}

template <int K, int S>
KARYON_INLINE void add_channels(const DepthwiseConvShape& shape, const float* x, const float* dy, float* dw, Rows rows,
                                int first, int last) {
    first = add_blocks<16, K, S>(shape, x, dy, dw, rows, first, last);
    first = add_blocks<4, K, S>(shape, x, dy, dw, rows, first, last);
    add_blocks<1, K, S>(shape, x, dy, dw, rows, first, last);
}

}  // namespace

KARYON_SIMD void depthwise_weight_gradient(const DepthwiseConvShape& shape, const float* x, const float* dy, float* dw,
                                           int first_row, int last_row, int first_channel, int last_channel) {
    for (int tap = 0; tap < shape.kernel * shape.kernel; ++tap)
        for (int c = first_channel; c < last_channel; ++c) dw[tap * shape.channels + c] = 0;
    const Rows rows{first_row, last_row};
    switch (10 * shape.kernel + shape.stride) {
        case 31:
            return add_channels<3, 1>(shape, x, dy, dw, rows, first_channel, last_channel);
        case 32:
            return add_channels<3, 2>(shape, x, dy, dw, rows, first_channel, last_channel);
        case 51:
            return add_channels<5, 1>(shape, x, dy, dw, rows, first_channel, last_channel);
        case 52:
            return add_channels<5, 2>(shape, x, dy, dw, rows, first_channel, last_channel);
    }
}

}  // namespace karyon::kernels::cpu
