#pragma once

#include "kernels/conv/conv2d.h"
#include "tests/kernels/reference.h"

/// Dense convolution in double, by its definition.
namespace karyon::test::conv2d_reference {

using Shape = kernels::Conv2dShape;
using Doubles = std::vector<double>;

inline std::size_t x_size(const Shape& s) { return std::size_t(s.batch) * s.height * s.width * s.in_channels; }
inline std::size_t w_size(const Shape& s) { return std::size_t(s.out_channels) * s.kernel * s.kernel * s.in_channels; }
inline std::size_t y_size(const Shape& s) {
    return std::size_t(s.batch) * s.out_height() * s.out_width() * s.out_channels;
}

/// Calls visit(index of x, of w, of y) for every product in the definition of the operation.
template <typename Visit>
void for_each_product(const Shape& s, const Visit& visit) {
    for (int n = 0; n < s.batch; ++n)
        for (int p = 0; p < s.out_height(); ++p)
            for (int q = 0; q < s.out_width(); ++q)
                for (int r = 0; r < s.kernel; ++r)
                    for (int t = 0; t < s.kernel; ++t) {
                        const int h = p * s.stride - s.pad.top + r, v = q * s.stride - s.pad.left + t;
                        if (h < 0 || h >= s.height || v < 0 || v >= s.width) continue;
                        const std::size_t x = ((std::size_t(n) * s.height + h) * s.width + v) * s.in_channels;
                        const std::size_t y =
                            ((std::size_t(n) * s.out_height() + p) * s.out_width() + q) * s.out_channels;
                        for (int o = 0; o < s.out_channels; ++o) {
                            const std::size_t w = ((std::size_t(o) * s.kernel + r) * s.kernel + t) * s.in_channels;
                            for (int i = 0; i < s.in_channels; ++i) visit(x + i, w + i, y + o);
                        }
                    }
}

inline Doubles forward(const Shape& s, const Doubles& x, const Doubles& w, const Doubles& bias) {
    Doubles y(y_size(s));
    if (!bias.empty())
        for (std::size_t k = 0; k < y.size(); ++k) y[k] = bias[k % bias.size()];
    for_each_product(s, [&](auto i, auto j, auto k) { y[k] += x[i] * w[j]; });
    return y;
}
inline Doubles backward_data(const Shape& s, const Doubles& dy, const Doubles& w) {
    Doubles dx(x_size(s));
    for_each_product(s, [&](auto i, auto j, auto k) { dx[i] += dy[k] * w[j]; });
    return dx;
}
inline Doubles backward_weights(const Shape& s, const Doubles& x, const Doubles& dy, Doubles dw) {
    for_each_product(s, [&](auto i, auto j, auto k) { dw[j] += x[i] * dy[k]; });
    return dw;
}
inline Doubles backward_bias(const Doubles& dy, Doubles dbias) {
    for (std::size_t k = 0; k < dy.size(); ++k) dbias[k % dbias.size()] += dy[k];
    return dbias;
}

}  // namespace karyon::test::conv2d_reference
