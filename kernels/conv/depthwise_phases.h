#pragma once

#include <algorithm>
#include <vector>

#include "kernels/conv/blocks.h"
#include "kernels/conv/correlate.h"
#include "kernels/conv/depthwise_conv.h"

namespace karyon::kernels::cpu {

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

/// An image in memory: its first element, and the distances in elements from row to row and from pixel to pixel.
template <typename T>
struct Plane {
    T* at;
    std::ptrdiff_t row, pixel;
};

/// dx of dy for one image. Input pixels of the same position modulo the stride meet the same taps, so each such phase
/// is a correlation of dy, with stride 1, with those taps in reverse. Phase i * stride + j, as far as there are pixels
/// of it, has the rows i, i + stride, ... and the columns j, j + stride, ...
inline std::vector<Correlation> backward_phases(const DepthwiseConvShape& s, const Plane<const float>& dy,
                                                const float* w, const Plane<float>& dx) {
    const std::ptrdiff_t c = s.channels, w_row = c * s.kernel;
    std::vector<Correlation> phases;
    for (int top = 0; top < std::min(s.stride, s.height); ++top)
        for (int left = 0; left < std::min(s.stride, s.width); ++left) {
            const PhaseTaps rows(top, s.stride, s.kernel, s.pad.top), columns(left, s.stride, s.kernel, s.pad.left);
            Correlation& t = phases.emplace_back();
            t.x = dy.at, t.x_row_step = dy.row, t.x_pixel_step = dy.pixel;
            t.height = s.out_height(), t.width = s.out_width();
            t.y = dx.at + top * dx.row + left * dx.pixel;
            t.y_row_step = s.stride * dx.row, t.y_pixel_step = s.stride * dx.pixel;
            t.out_height = divide_up(s.height - top, s.stride), t.out_width = divide_up(s.width - left, s.stride);
            t.w = w + rows.last(s.stride) * w_row + columns.last(s.stride) * c;
            t.w_row_step = -s.stride * w_row, t.w_tap_step = -s.stride * c;
            t.kernel_height = rows.count, t.kernel_width = columns.count;
            t.pad_top = rows.pad, t.pad_left = columns.pad;
        }
    return phases;
}

}  // namespace karyon::kernels::cpu
