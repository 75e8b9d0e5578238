#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/resample/bilinear_resize.h"

namespace karyon::test {

inline std::size_t input_size(const kernels::ResizeShape& s) {
    return static_cast<std::size_t>(s.batch * s.in_height * s.in_width * s.channels);
}
inline std::size_t output_size(const kernels::ResizeShape& s) {
    return static_cast<std::size_t>(s.batch * s.out_height * s.out_width * s.channels);
}

/// The weight of input position i in output position o: the triangle around the source position, edges clamped.
inline double resize_weight(int in, int out, int i, int o) {
    const double position = std::clamp((o + 0.5) * in / out - 0.5, 0.0, in - 1.0);
    return std::max(0.0, 1 - std::abs(position - i));
}

/// Calls body(weight, index in x, index in y) for every pair of elements with a weight.
template <typename Body>
void for_each_resize_weight(const kernels::ResizeShape& s, Body body) {
    const auto rows = [&](int p, int i) { return resize_weight(s.in_height, s.out_height, i, p); };
    const auto columns = [&](int q, int j) { return resize_weight(s.in_width, s.out_width, j, q); };
    for (int n = 0; n < s.batch; ++n)
        for (int p = 0; p < s.out_height; ++p)
            for (int i = 0; i < s.in_height; ++i) {
                if (rows(p, i) == 0) continue;
                for (int q = 0; q < s.out_width; ++q)
                    for (int j = 0; j < s.in_width; ++j) {
                        const double weight = rows(p, i) * columns(q, j);
                        if (weight == 0) continue;
                        for (int c = 0; c < s.channels; ++c)
                            body(weight,
                                 static_cast<std::size_t>(((n * s.in_height + i) * s.in_width + j) * s.channels + c),
                                 static_cast<std::size_t>(((n * s.out_height + p) * s.out_width + q) * s.channels + c));
                    }
            }
}

inline std::vector<double> resize_reference(const kernels::ResizeShape& s, const std::vector<double>& x) {
    std::vector<double> y(output_size(s));
    for_each_resize_weight(s, [&](double weight, std::size_t from, std::size_t to) { y[to] += weight * x[from]; });
    return y;
}

inline std::vector<double> resize_backward_reference(const kernels::ResizeShape& s, const std::vector<double>& dy) {
    std::vector<double> dx(input_size(s));
    for_each_resize_weight(s, [&](double weight, std::size_t from, std::size_t to) { dx[from] += weight * dy[to]; });
    return dx;
}

}  // namespace karyon::test
