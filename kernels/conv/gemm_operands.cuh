#pragma once

#include <cstdint>

#include "kernels/conv/conv2d.h"
#include "kernels/conv/gemm_sources.cuh"
#include "kernels/pack.cuh"

/// The operands of gemm_sources.cuh, made on the host from the shape of a convolution.
namespace karyon::kernels::gpu {

/// concat(upsample2x(low), skip); without `low` the image is `skip`.
template <typename T>
struct ImageParts {
    const T* low;
    int low_channels;
    const T* skip;
    int skip_channels;
};

inline bool holds_pairs(const void* pointer, int columns) {
    return reinterpret_cast<std::uintptr_t>(pointer) % 4 == 0 && columns % 2 == 0;
}

/// x under the window of a forward pass, or of the weight gradient.
template <typename T>
Pixels<T> window_pixels(const Conv2dShape& s, const ImageParts<T>& x) {
    Pixels<T> p{};
    p.low = x.low, p.skip = x.skip, p.low_channels = x.low_channels, p.skip_channels = x.skip_channels;
    p.height = s.height, p.width = s.width;
    p.stride = s.stride, p.dilation = 1, p.pad_top = s.pad.top, p.pad_left = s.pad.left;
    p.rows = s.batch * s.out_height() * s.out_width();
    p.depth = s.kernel * s.kernel * s.in_channels;
    p.by_window_image = FastDivide(s.out_height() * s.out_width()), p.by_window_row = FastDivide(s.out_width());
    p.by_channels = FastDivide(s.in_channels), p.by_kernel = FastDivide(s.kernel);
    p.whole_words = holds_pairs(x.low, x.low_channels) && holds_pairs(x.skip, x.skip_channels);
    return p;
}

/// dy under the window of the convolution that makes dx of it.
template <typename T>
Pixels<T> dilated_pixels(const Conv2dShape& s, const T* dy) {
    Pixels<T> p{};
    p.skip = dy, p.skip_channels = s.out_channels;
    p.height = s.out_height(), p.width = s.out_width();
    p.stride = 1, p.dilation = s.stride, p.pad_top = s.kernel - 1 - s.pad.top, p.pad_left = s.kernel - 1 - s.pad.left;
    p.rows = s.batch * s.height * s.width;
    p.depth = s.kernel * s.kernel * s.out_channels;
    p.by_window_image = FastDivide(s.height * s.width), p.by_window_row = FastDivide(s.width);
    p.by_channels = FastDivide(s.out_channels), p.by_kernel = FastDivide(s.kernel);
    p.whole_words = holds_pairs(dy, s.out_channels);
    return p;
}

template <typename T>
Matrix<T> plain_matrix(const T* data, int rows, int columns) {
    return {data, rows, columns, 1, FastDivide(rows), holds_pairs(data, columns)};
}

/// w [out, k, k, in] with the kernel flipped, [k * k * out, in].
template <typename T>
Matrix<T> flipped_matrix(const T* w, const Conv2dShape& s) {
    const int taps = s.kernel * s.kernel;
    return {w, taps * s.out_channels, s.in_channels, taps, FastDivide(s.out_channels), holds_pairs(w, s.in_channels)};
}

/// Whether the operand can be copied 16 bytes at a time.
template <typename T>
bool is_vectorised(const Pixels<T>& p) {
    constexpr int width = Pack<T>::width;
    return is_aligned(p.low) && is_aligned(p.skip) && p.low_channels % width == 0 && p.skip_channels % width == 0;
}
template <typename T>
bool is_vectorised(const Matrix<T>& m) {
    return is_aligned(m.data) && m.columns % Pack<T>::width == 0;
}

}  // namespace karyon::kernels::gpu
