#pragma once

#include "kernels/types.h"

namespace karyon::kernels {

/// Where eps stands. Both take the maximum of the uncorrected second moment.
///   pytorch: step = lr / (1 - b1^t) * m / (sqrt(vmax) / sqrt(1 - b2^t) + eps)        eps 1e-8
///   keras:   step = lr * sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(vmax) + eps)        eps 1e-7
enum class EpsPlacement : std::uint8_t { pytorch, keras };

/// AMSGrad (Reddi 2018) over a flat arena: 36 bytes a parameter.
///
///   g = grad * grad_scale;  m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;  vmax = max(vmax, v)
///   param = param * (1 - lr * weight_decay) - step            (decoupled decay, Loshchilov 2019)
struct AmsgradStep {
    std::int64_t count = 1;
    std::int64_t step = 1;  ///< t, from 1
    float learning_rate = 1e-3f, beta1 = 0.9f, beta2 = 0.999f, eps = 1e-8f, weight_decay = 0, grad_scale = 1;
    EpsPlacement placement = EpsPlacement::pytorch;
};

Cost cost(const AmsgradStep&);

namespace cpu {

/// All f32 [count]; param, m, v and vmax are updated in place.
void amsgrad(Stream&, const AmsgradStep&, In grad, Out param, Out m, Out v, Out vmax);
/// average = decay * average + (1 - decay) * param, f32 [count].
void exponential_moving_average(Stream&, std::int64_t count, float decay, In param, Out average);
/// The sum of squares of grad [count], in double and in a fixed order; infinite or NaN where any element is.
double sum_of_squares(Stream&, std::int64_t count, In grad);

}  // namespace cpu
}  // namespace karyon::kernels
