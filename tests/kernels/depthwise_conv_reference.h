#pragma once

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "kernels/conv/fused_depthwise_conv.h"
#include "tests/kernels/activation_reference.h"
#include "tests/kernels/batch_norm_reference.h"
#include "tests/kernels/reference.h"

/// Depthwise convolution by its definition, in double; and fused with the batch norm before it.
namespace karyon::test::depthwise {

using Shape = kernels::DepthwiseConvShape;
using Doubles = std::vector<double>;
using kernels::Activation;

inline std::size_t x_size(const Shape& s) { return std::size_t(s.batch) * s.height * s.width * s.channels; }
inline std::size_t w_size(const Shape& s) { return std::size_t(s.kernel) * s.kernel * s.channels; }
inline std::size_t y_size(const Shape& s) { return std::size_t(s.batch) * s.out_height() * s.out_width() * s.channels; }

inline std::string text(const Shape& s) {
    return fmt::format("batch {} height {} width {} channels {} kernel {} stride {} pad {} {} {} {}", s.batch, s.height,
                       s.width, s.channels, s.kernel, s.stride, s.pad.top, s.pad.left, s.pad.bottom, s.pad.right);
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
                        for (int c = 0; c < s.channels; ++c)
                            visit(((std::size_t(n) * s.height + h) * s.width + v) * s.channels + c,
                                  (std::size_t(r) * s.kernel + t) * s.channels + c,
                                  ((std::size_t(n) * s.out_height() + p) * s.out_width() + q) * s.channels + c);
                    }
}

inline Doubles reference_forward(const Shape& s, const Doubles& x, const Doubles& w) {
    Doubles y(y_size(s));
    for_each_product(s, [&](auto i, auto j, auto k) { y[k] += x[i] * w[j]; });
    return y;
}
inline Doubles reference_backward_data(const Shape& s, const Doubles& dy, const Doubles& w) {
    Doubles dx(x_size(s));
    for_each_product(s, [&](auto i, auto j, auto k) { dx[i] += dy[k] * w[j]; });
    return dx;
}
inline Doubles reference_backward_weights(const Shape& s, const Doubles& x, const Doubles& dy, Doubles dw) {
    for_each_product(s, [&](auto i, auto j, auto k) { dw[j] += x[i] * dy[k]; });
    return dw;
}

/// Batch norm with given statistics, [channels] each, and an activation.
struct Norm {
    Doubles mean, variance, gamma, beta;
    double eps;
    Activation activation;

    double xhat(const Doubles& x, std::size_t i) const {
        const std::size_t c = i % mean.size();
        return (x[i] - mean[c]) / std::sqrt(variance[c] + eps);
    }
    double z(const Doubles& x, std::size_t i) const {
        return gamma[i % mean.size()] * xhat(x, i) + beta[i % mean.size()];
    }
    Doubles applied(Doubles x) const {
        const Doubles from = x;
        for (std::size_t i = 0; i < x.size(); ++i) x[i] = activation_reference(activation, z(from, i));
        return x;
    }
};

struct FusedGradient {
    Doubles dz, sum_dz, sum_dz_xhat;
};

inline FusedGradient reference_fused_backward_data(const Shape& s, const Doubles& dy, const Doubles& w,
                                                   const Doubles& x, const Norm& norm) {
    const auto channels = std::size_t(s.channels);
    FusedGradient result{reference_backward_data(s, dy, w), Doubles(channels), Doubles(channels)};
    for (std::size_t i = 0; i < x.size(); ++i) {
        result.dz[i] *= activation_slope_reference(norm.activation, norm.z(x, i));
        result.sum_dz[i % channels] += result.dz[i];
        result.sum_dz_xhat[i % channels] += result.dz[i] * norm.xhat(x, i);
    }
    return result;
}

}  // namespace karyon::test::depthwise
