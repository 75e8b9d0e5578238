#include "kernels/optim/amsgrad.h"

#include <cmath>
#include <vector>

#include "kernels/blocks.h"
#include "kernels/simd.h"

namespace karyon::kernels {

AmsgradCoefficients::AmsgradCoefficients(const AmsgradStep& step, float average_decay_)
    : grad_scale(step.grad_scale), beta1(step.beta1), beta2(step.beta2), eps(step.eps), average_decay(average_decay_) {
    const auto t = static_cast<double>(step.step), learning_rate = static_cast<double>(step.learning_rate);
    const double correction1 = 1 - std::pow(static_cast<double>(step.beta1), t);
    const double root_correction2 = std::sqrt(1 - std::pow(static_cast<double>(step.beta2), t));
    const bool keras = step.placement == EpsPlacement::keras;
    keep = static_cast<float>(1 - learning_rate * static_cast<double>(step.weight_decay));
    rate = static_cast<float>(learning_rate / correction1 * (keras ? root_correction2 : 1.0));
    root_scale = static_cast<float>(keras ? 1.0 : 1 / root_correction2);
}

Cost cost(const AmsgradStep& step, bool with_average) {
    const auto count = static_cast<double>(step.count);
    return {(with_average ? 44 : 36) * count, (with_average ? 19 : 15) * count};
}

namespace cpu {
namespace {

KARYON_SIMD void step_block(std::int64_t count, const AmsgradCoefficients& step, const float* grad, float* param,
                            float* m, float* v, float* vmax) {
    const AmsgradCoefficients k = step;
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) {
        const float g = grad[i] * k.grad_scale;
        const float first = k.beta1 * m[i] + (1.0f - k.beta1) * g;
        const float second = k.beta2 * v[i] + (1.0f - k.beta2) * (g * g);
        const float largest = vmax[i] > second ? vmax[i] : second;
        m[i] = first;
        v[i] = second;
        vmax[i] = largest;
        param[i] = param[i] * k.keep - k.rate * first / (std::sqrt(largest) * k.root_scale + k.eps);
    }
}

KARYON_SIMD void average_block(std::int64_t count, float decay, const float* param, float* average) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) average[i] = decay * average[i] + (1.0f - decay) * param[i];
}

KARYON_SIMD double square_block(std::int64_t count, const float* x) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < count; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    return sum;
}

}  // namespace

void amsgrad(Stream&, const AmsgradStep& step, In grad, Out param, Out m, Out v, Out vmax) {
    const float* gradients = grad.as<float>();
    float *parameters = param.as<float>(), *first = m.as<float>(), *second = v.as<float>(), *most = vmax.as<float>();
    const AmsgradCoefficients coefficients(step);
    for_each_block(step.count, block_elements, [&](std::int64_t, std::int64_t begin, std::int64_t size) {
        step_block(size, coefficients, gradients + begin, parameters + begin, first + begin, second + begin,
                   most + begin);
    });
}

void exponential_moving_average(Stream&, std::int64_t count, float decay, In param, Out average) {
    const float* from = param.as<float>();
    float* to = average.as<float>();
    for_each_block(count, block_elements, [=](std::int64_t, std::int64_t begin, std::int64_t size) {
        average_block(size, decay, from + begin, to + begin);
    });
}

double sum_of_squares(Stream&, std::int64_t count, In grad) {
    const float* from = grad.as<float>();
    std::vector<double> partials(static_cast<std::size_t>(block_count(count, block_elements)));
    for_each_block(count, block_elements, [&](std::int64_t block, std::int64_t begin, std::int64_t size) {
        partials[static_cast<std::size_t>(block)] = square_block(size, from + begin);
    });
    double sum = 0;
    for (const double partial : partials) sum += partial;
    return sum;
}

}  // namespace cpu
}  // namespace karyon::kernels
