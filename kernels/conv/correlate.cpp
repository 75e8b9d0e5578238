#include "kernels/conv/correlate.h"

#include "kernels/conv/lanes.h"

namespace karyon::kernels::cpu {
namespace {

/// Q neighbouring output pixels of one row, the first of which has its first tap at `column`.
struct Group {
    const float* x;  ///< the input row and column of the first tap, which may be outside
    float* y;
    int column;
    Taps rows;  ///< kernel rows that are inside
};

/// The sums stay in registers over the whole kernel, and every value of x is loaded once for all the sums that use it.
/// Checked: taps may be outside the image on the left and the right.
template <typename V, int K, int S, int Q, bool Checked>
KARYON_INLINE void correlate_pixels(const Correlation& t, const Group& group, int channel) {
    V sum[Q], start{};
    if (t.bias) load(start, t.bias + channel);
#pragma GCC unroll 8
    for (int q = 0; q < Q; ++q) sum[q] = start;
    for (int r = group.rows.first; r < group.rows.last; ++r) {
        const float* x = group.x + r * t.x_row_step + channel;
        const float* w = t.w + r * t.w_row_step + channel;
        V weight[K];
#pragma GCC unroll 8
        for (int s = 0; s < K; ++s) load(weight[s], w + s * t.w_tap_step);
#pragma GCC unroll 16
        for (int i = 0; i < (Q - 1) * S + K; ++i) {
            if (Checked && (group.column + i < 0 || group.column + i >= t.width)) continue;
            V value;
            load(value, x + i * t.x_pixel_step);
#pragma GCC unroll 8
            for (int q = 0; q < Q; ++q)
                if (i >= q * S && i < q * S + K) sum[q] += value * weight[i - q * S];
        }
    }
#pragma GCC unroll 8
    for (int q = 0; q < Q; ++q) store(group.y + q * t.y_pixel_step + channel, sum[q]);
}

/// Channels [first, last) of a group. When they are no multiple of N, the last N overlap the ones before: those are
/// computed twice.
template <int N, int K, int S, int Q>
KARYON_INLINE void correlate_group(const Correlation& t, const Group& group, int first, int last) {
    const bool inside = group.column >= 0 && group.column + (Q - 1) * S + K <= t.width;
    if (inside)
        for (int c = first; c < last; c += N)
            correlate_pixels<Lanes<N>, K, S, Q, false>(t, group, c + N <= last ? c : last - N);
    else
        for (int c = first; c < last; c += N)
            correlate_pixels<Lanes<N>, K, S, Q, true>(t, group, c + N <= last ? c : last - N);
}

/// One output row in groups of Q pixels. Its last group overlaps the one before in the same way.
template <int N, int K, int S, int Q>
KARYON_INLINE void correlate_row(const Correlation& t, int p, int first, int last) {
    const int row = p * S - t.pad_top;
    const Taps rows = taps_inside(row, t.kernel_height, t.height);
    for (int start = 0; start < t.out_width; start += Q) {
        const int q = start + Q <= t.out_width ? start : t.out_width - Q, column = q * S - t.pad_left;
        const Group group{t.x + row * t.x_row_step + column * t.x_pixel_step,
                          t.y + p * t.y_row_step + q * t.y_pixel_step, column, rows};
        correlate_group<N, K, S, Q>(t, group, first, last);
    }
}

template <int N, int K, int S>
KARYON_INLINE void correlate_rows(const Correlation& t, int first_row, int last_row, int first, int last) {
    for (int p = first_row; p < last_row; ++p)
        if (t.out_width >= 4)
            correlate_row<N, K, S, 4>(t, p, first, last);
        else
            correlate_row<N, K, S, 1>(t, p, first, last);
}

template <int K, int S>
KARYON_INLINE void correlate_channels(const Correlation& t, int first_row, int last_row, int first, int last) {
    if (last - first >= 16)
        correlate_rows<16, K, S>(t, first_row, last_row, first, last);
    else if (last - first >= 4)
        correlate_rows<4, K, S>(t, first_row, last_row, first, last);
    else
        correlate_rows<1, K, S>(t, first_row, last_row, first, last);
}

KARYON_SIMD void run(const Correlation& t, int first_row, int last_row, int first_channel, int last_channel) {
    last_row = last_row < t.out_height ? last_row : t.out_height;
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

}  // namespace

void correlate(const Correlation& t, int first_row, int last_row, int first_channel, int last_channel) {
    run(t, first_row, last_row, first_channel, last_channel);
}

}  // namespace karyon::kernels::cpu
