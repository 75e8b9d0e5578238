#pragma once

#include <cstddef>

#include "kernels/fast_divide.cuh"

/// Convolution as a matrix product: where in memory the elements of the two operands are. A source is indexed by an
/// outer and an inner number; neighbours of the inner one lie side by side in memory. Decoding a number is apart from
/// the address, since a thread keeps one of the two numbers fixed.
namespace karyon::kernels::gpu {

/// A number that lies outside of everything, also after a sum with a decoded one.
inline constexpr int far_outside = 1 << 28;

/// The image that a convolution reads as a matrix: outer = the pixel (n, p, q) for which the window is taken, inner =
/// (r, s, channel) in the window. The element is
///
///   image[n, (p * stride - pad_top + r) / dilation, (q * stride - pad_left + s) / dilation, channel]
///
/// and 0 outside the image or where a division leaves a rest. Dilation turns the data gradient into a convolution: dx
/// is dy with dilation = stride, convolved with the flipped kernel at stride 1 and padding k - 1 - pad.
///
/// The image is concat(upsample2x(low), skip) along the channels; a plain image is a skip without a low.
template <typename T>
struct Pixels {
    const T* low;
    const T* skip;
    int low_channels, skip_channels;
    int height, width;  ///< of skip
    int stride, dilation, pad_top, pad_left;
    int rows, depth;  ///< the bounds of the two numbers: windows, and kernel * kernel * channels
    FastDivide by_window_image, by_window_row, by_channels, by_kernel;
    bool whole_words;  ///< aligned pairs of bf16 along the channels never straddle two pixels

    struct Outer {
        int image, top, left;
    };
    struct Inner {
        int row, column, channel;
    };

    __device__ Outer outer(int index) const {
        if (index >= rows) return {0, -2 * far_outside, 0};
        const int image = by_window_image.split(index), row = by_window_row.split(index);
        return {image, row * stride - pad_top, index * stride - pad_left};
    }
    __device__ Inner inner(int index) const {
        if (index >= depth) return {far_outside, 0, 0};
        const int tap = by_channels.split(index), row = by_kernel(tap);
        return {row, by_kernel.rest(tap, row), index};
    }
    /// Null where the element is 0.
    __device__ const T* address(const Outer& outer, const Inner& inner) const {
        int row = outer.top + inner.row, column = outer.left + inner.column;
        if (dilation != 1) {
            if (row < 0 || column < 0 || row % dilation != 0 || column % dilation != 0) return nullptr;
            row /= dilation, column /= dilation;
        }
        if (static_cast<unsigned>(row) >= static_cast<unsigned>(height) ||
            static_cast<unsigned>(column) >= static_cast<unsigned>(width))
            return nullptr;
        if (inner.channel < low_channels) {
            const int pixel = (outer.image * (height / 2) + row / 2) * (width / 2) + column / 2;
            return low + static_cast<std::ptrdiff_t>(pixel) * low_channels + inner.channel;
        }
        const int pixel = (outer.image * height + row) * width + column;
        return skip + static_cast<std::ptrdiff_t>(pixel) * skip_channels + (inner.channel - low_channels);
    }
    __device__ const T* somewhere() const { return skip; }
};

/// A matrix [rows, columns]: weights [out, k * k * in] of a forward pass, dy [pixels, out]. With `taps` > 1, weights
/// [out, taps, in] as the data gradient takes them: outer = (tap of the flipped kernel, out), inner = in.
template <typename T>
struct Matrix {
    const T* data;
    int rows, columns, taps;  ///< rows are those of all taps
    FastDivide by_rows_of_tap;
    bool whole_words;  ///< as for Pixels

    using Outer = int;  ///< the row of `data`, negative outside
    using Inner = int;

    __device__ Outer outer(int index) const {
        if (index >= rows) return -1;
        const int tap = by_rows_of_tap.split(index);
        return index * taps + (taps - 1 - tap);
    }
    __device__ Inner inner(int index) const { return index; }
    __device__ const T* address(Outer row, Inner column) const {
        return row >= 0 && column < columns ? data + static_cast<std::ptrdiff_t>(row) * columns + column : nullptr;
    }
    __device__ const T* somewhere() const { return data; }
};

}  // namespace karyon::kernels::gpu
