#pragma once

#include <algorithm>
#include <cmath>

#include "kernels/optim/amsgrad.h"

namespace karyon::test {

/// The formulas of kernels/optim/amsgrad.h, one parameter at a time, in double.
struct AmsgradReference {
    double param, m = 0, v = 0, vmax = 0;

    void update(const kernels::AmsgradStep& s, double grad) {
        const double g = grad * static_cast<double>(s.grad_scale), b1 = static_cast<double>(s.beta1);
        const double b2 = static_cast<double>(s.beta2), lr = static_cast<double>(s.learning_rate);
        const double eps = static_cast<double>(s.eps), t = static_cast<double>(s.step);
        m = b1 * m + (1 - b1) * g;
        v = b2 * v + (1 - b2) * g * g;
        vmax = std::max(vmax, v);
        const double c1 = 1 - std::pow(b1, t), c2 = std::sqrt(1 - std::pow(b2, t));
        const double step = s.placement == kernels::EpsPlacement::keras ? lr * c2 / c1 * m / (std::sqrt(vmax) + eps)
                                                                        : lr / c1 * m / (std::sqrt(vmax) / c2 + eps);
        param = param * (1 - lr * static_cast<double>(s.weight_decay)) - step;
    }
};

}  // namespace karyon::test
