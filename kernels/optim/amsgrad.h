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

/// What of a step is the same for all parameters: param = param * keep - rate * m / (sqrt(vmax) * root_scale + eps).
/// Copied to the device as its 8 floats before each launch, it lets a captured graph take another step every time.
struct alignas(16) AmsgradCoefficients {
    float grad_scale, beta1, beta2, eps, keep, rate, root_scale;
    float average_decay;  ///< of a moving average, where there is one

    explicit AmsgradCoefficients(const AmsgradStep&, float average_decay_ = 0);
};

/// With an average that is updated in the same pass: 44 bytes a parameter.
Cost cost(const AmsgradStep&, bool with_average = false);

namespace cpu {

/// All f32 [count]; param, m, v and vmax are updated in place.
void amsgrad(Stream&, const AmsgradStep&, In grad, Out param, Out m, Out v, Out vmax);
/// average = decay * average + (1 - decay) * param, f32 [count].
void exponential_moving_average(Stream&, std::int64_t count, float decay, In param, Out average);
/// The sum of squares of grad [count], in double and in a fixed order; infinite or NaN where any element is.
double sum_of_squares(Stream&, std::int64_t count, In grad);

}  // namespace cpu

namespace gpu {

/// As cpu::amsgrad, one launch.
void amsgrad(Stream&, const AmsgradStep&, In grad, Out param, Out m, Out v, Out vmax);

/// What a step reads from device memory, so that nothing comes back to the host between the gradient and the
/// parameters, and a captured graph can be launched again with another learning rate.
struct AmsgradOnDevice {
    In coefficients;     ///< f32 [8], an AmsgradCoefficients, aligned to 16 bytes
    In norm;             ///< f32 [1], of the gradient: where it is not finite nothing is changed; null: not looked at
    float max_norm = 0;  ///< the gradient is scaled down to this norm; 0: never
    Out average;         ///< f32 [count], moving average of the new param; null: none
};
void amsgrad(Stream&, std::int64_t count, const AmsgradOnDevice&, In grad, Out param, Out m, Out v, Out vmax);

/// As cpu::exponential_moving_average; the second form reads the decay from an AmsgradCoefficients f32 [8].
void exponential_moving_average(Stream&, std::int64_t count, float decay, In param, Out average);
void exponential_moving_average(Stream&, std::int64_t count, In coefficients, In param, Out average);
/// norm f32 [1] = the root of the sum of squares of grad [count], taken in double and in a fixed order; infinite or NaN
/// where any element is. It stays on the device.
void gradient_norm(Stream&, std::int64_t count, In grad, Out norm);

}  // namespace gpu
}  // namespace karyon::kernels
