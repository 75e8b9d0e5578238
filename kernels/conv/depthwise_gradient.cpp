#include "kernels/conv/depthwise_gradient.h"

#include <vector>

#include "kernels/conv/blocks.h"
#include "kernels/conv/lanes.h"

namespace karyon::kernels::cpu {
namespace {

/// An output row and the first of the input rows that R neighbouring kernel rows meet, for N channels.
template <typename T>
struct Lines {
    const T *x, *dy;
    std::ptrdiff_t row, pixel;  ///< distance in elements from row to row of x, and from pixel to pixel
    std::ptrdiff_t dy_pixel;    ///< the same in dy; 1 when dy has one channel
    int width, out_width, pad_left;
};

/// Shared: all channels have the gradient of their sum.
template <bool Shared, typename V, typename T>
KARYON_INLINE void load_gradient(V& gradient, const T* dy) {
    if constexpr (Shared)
        gradient = V{} + float(*dy);
    else
        load(gradient, dy);
}

/// sum[r][s] += dy[q] * x[r, q*S - pad_left + s] for Q neighbouring q: every value of x is loaded once.
/// Checked: taps may be outside the image on the left and the right.
template <typename V, int K, int S, bool Shared, int R, int Q, bool Checked, typename T>
KARYON_INLINE void add_pixels(V (&sum)[R][K], const Lines<T>& lines, int q) {
    const int column = q * S - lines.pad_left;
    const T *x = lines.x + column * lines.pixel, *dy = lines.dy + q * lines.dy_pixel;
    V gradient[Q];
#pragma GCC unroll 8
    for (int j = 0; j < Q; ++j) load_gradient<Shared>(gradient[j], dy + j * lines.dy_pixel);
#pragma GCC unroll 16
    for (int i = 0; i < (Q - 1) * S + K; ++i) {
        if (Checked && (column + i < 0 || column + i >= lines.width)) continue;
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) {
            V value;
            load(value, x + r * lines.row + i * lines.pixel);
#pragma GCC unroll 8
            for (int j = 0; j < Q; ++j)
                if (i >= j * S && i < j * S + K) sum[r][i - j * S] += value * gradient[j];
        }
    }
}

template <typename V, int K, int S, bool Shared, int R, typename T>
KARYON_INLINE void add_line(V (&sum)[R][K], const Lines<T>& lines) {
    constexpr int Q = 4;
    int q = 0;
    for (; q + Q <= lines.out_width; q += Q) {
        const int column = q * S - lines.pad_left;
        if (column >= 0 && column + (Q - 1) * S + K <= lines.width)
            add_pixels<V, K, S, Shared, R, Q, false>(sum, lines, q);
        else
            add_pixels<V, K, S, Shared, R, Q, true>(sum, lines, q);
    }
    for (; q < lines.out_width; ++q) add_pixels<V, K, S, Shared, R, 1, true>(sum, lines, q);
}

/// What one output row adds to R kernel rows from `dw`: their sums stay in registers along the row.
template <typename V, int K, int S, bool Shared, int R, typename T>
KARYON_INLINE void add_kernel_rows(const Lines<T>& lines, float* dw) {
    V sum[R][K];
#pragma GCC unroll 32
    for (int tap = 0; tap < R * K; ++tap) load(sum[tap / K][tap % K], dw + tap * lines.pixel);
    add_line<V, K, S, Shared, R>(sum, lines);
#pragma GCC unroll 32
    for (int tap = 0; tap < R * K; ++tap) store(dw + tap * lines.pixel, sum[tap / K][tap % K]);
}

struct Rows {
    int first, last;
};

/// One output row, and N channels from `channel`. Three rows of a 3x3 kernel go together, which hides the latency of
/// the additions; the five sums of a 5x5 row hide it alone.
template <int N, int K, int S, bool Shared, typename T>
KARYON_INLINE void add_row(Lines<T> lines, Taps taps, float* dw, int channel) {
    using V = Lanes<N>;
    lines.x += taps.first * lines.row + channel;
    if (!Shared) lines.dy += channel;
    dw += taps.first * K * lines.pixel + channel;
    if (K == 3 && taps.last - taps.first == 3) return add_kernel_rows<V, K, S, Shared, 3>(lines, dw);
    for (int r = taps.first; r < taps.last; ++r, lines.x += lines.row, dw += K * lines.pixel)
        add_kernel_rows<V, K, S, Shared, 1>(lines, dw);
}

/// Only whole blocks of N channels: a sum must not be added twice. Returns the first channel that is left over.
template <int N, int K, int S, bool Shared, typename T>
KARYON_INLINE int add_blocks(const DepthwiseConvShape& shape, const T* x, const T* dy, float* dw, Rows rows, int first,
                             int last) {
    const int end = first + (last - first) / N * N, out_height = shape.out_height(), out_width = shape.out_width();
    const std::ptrdiff_t pixel = shape.channels, x_row = pixel * shape.width;
    const std::ptrdiff_t dy_pixel = Shared ? 1 : pixel, dy_row = dy_pixel * out_width;
    for (int row = rows.first; row < rows.last && first < end; ++row) {
        const int n = row / out_height, h = row % out_height * S - shape.pad.top;
        const Taps taps = taps_inside(h, K, shape.height);
        const Lines<T> lines{x + (n * std::ptrdiff_t(shape.height) + h) * x_row,
                             dy + row * dy_row,
                             x_row,
                             pixel,
                             dy_pixel,
                             shape.width,
                             out_width,
                             shape.pad.left};
        for (int c = first; c < end; c += N) add_row<N, K, S, Shared>(lines, taps, dw, c);
    }
    return end;
}

template <int K, int S, bool Shared, typename T>
KARYON_INLINE void add_channels(const DepthwiseConvShape& shape, const T* x, const T* dy, float* dw, Rows rows,
                                int first, int last) {
    first = add_blocks<16, K, S, Shared>(shape, x, dy, dw, rows, first, last);
    first = add_blocks<4, K, S, Shared>(shape, x, dy, dw, rows, first, last);
    add_blocks<1, K, S, Shared>(shape, x, dy, dw, rows, first, last);
}

template <bool Shared, typename T>
KARYON_INLINE void add_shape(const DepthwiseConvShape& shape, const T* x, const T* dy, float* dw, Rows rows, int first,
                             int last) {
    switch (10 * shape.kernel + shape.stride) {
        case 31:
            return add_channels<3, 1, Shared>(shape, x, dy, dw, rows, first, last);
        case 32:
            return add_channels<3, 2, Shared>(shape, x, dy, dw, rows, first, last);
        case 51:
            return add_channels<5, 1, Shared>(shape, x, dy, dw, rows, first, last);
        case 52:
            return add_channels<5, 2, Shared>(shape, x, dy, dw, rows, first, last);
    }
}

/// dw[r,s,c] = what output rows [first_row, last_row) of a batch, counted through all its images, add to the gradient
/// of w, for channels [first_channel, last_channel).
template <typename T>
KARYON_SIMD void weight_gradient(const DepthwiseConvShape& shape, const T* x, const T* dy, int dy_channels, float* dw,
                                 int first_row, int last_row, int first_channel, int last_channel) {
    for (int tap = 0; tap < shape.kernel * shape.kernel; ++tap)
        for (int c = first_channel; c < last_channel; ++c) dw[tap * shape.channels + c] = 0;
    const Rows rows{first_row, last_row};
    if (dy_channels == shape.channels)
        add_shape<false>(shape, x, dy, dw, rows, first_channel, last_channel);
    else
        add_shape<true>(shape, x, dy, dw, rows, first_channel, last_channel);
}

}  // namespace

/// A block of output rows has its own partial sums.
template <typename T>
void add_depthwise_weight_gradient(const DepthwiseConvShape& s, const T* x, const T* dy, int dy_channels, float* dw) {
    const int rows = s.batch * s.out_height(), height = block_height(rows, s.out_width());
    const std::ptrdiff_t size = std::ptrdiff_t(s.kernel) * s.kernel * s.channels, blocks = divide_up(rows, height);
    static thread_local std::vector<float> memory;
    if (memory.size() < std::size_t(blocks * size)) memory.resize(blocks * size);
    float* partial = memory.data();
    for_each_block(1, rows, s.out_width(), s.channels,
                   [&](int, int first_row, int last_row, int first_channel, int last_channel) {
                       weight_gradient(s, x, dy, dy_channels, partial + first_row / height * size, first_row, last_row,
                                       first_channel, last_channel);
                   });
    for (std::ptrdiff_t block = 0; block < blocks; ++block)
        for (std::ptrdiff_t i = 0; i < size; ++i) dw[i] += partial[block * size + i];
}
template void add_depthwise_weight_gradient(const DepthwiseConvShape&, const float*, const float*, int, float*);
template void add_depthwise_weight_gradient(const DepthwiseConvShape&, const bfloat16*, const bfloat16*, int, float*);

}  // namespace karyon::kernels::cpu
