#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/elementwise/activation.h"

namespace karyon::test {

inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

inline double activation_reference(kernels::Activation f, double x) {
    switch (f) {
        case kernels::Activation::relu:
            return std::max(x, 0.0);
        case kernels::Activation::silu:
            return x * sigmoid(x);
        case kernels::Activation::sigmoid:
            return sigmoid(x);
        case kernels::Activation::none:
            break;
    }
    return x;
}

inline double activation_slope_reference(kernels::Activation f, double x) {
    const double s = sigmoid(x);
    switch (f) {
        case kernels::Activation::relu:
            return x > 0 ? 1 : 0;
        case kernels::Activation::silu:
            return s * (1 + x * (1 - s));
        case kernels::Activation::sigmoid:
            return s * (1 - s);
        case kernels::Activation::none:
            break;
    }
    return 1;
}

inline std::vector<double> activation_reference(kernels::Activation f, std::vector<double> x) {
    for (double& value : x) value = activation_reference(f, value);
    return x;
}

inline std::vector<double> activation_backward_reference(kernels::Activation f, const std::vector<double>& x,
                                                         std::vector<double> dy) {
    for (std::size_t i = 0; i < x.size(); ++i) dy[i] *= activation_slope_reference(f, x[i]);
    return dy;
}

}  // namespace karyon::test
