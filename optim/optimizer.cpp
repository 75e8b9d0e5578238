#include "optim/optimizer.h"

#include <algorithm>
#include <cmath>

#include "tensor/stream.h"

namespace karyon {
namespace {

Tensor zeros_like(const Tensor& tensor) { return Tensor::zeros(tensor.shape(), tensor.dtype(), tensor.device()); }

}  // namespace

Optimizer::Optimizer(const Arena& arena, const OptimizerOptions& options)
    : arena_(arena),
      options_(options),
      m_(zeros_like(arena.values())),
      v_(zeros_like(arena.values())),
      vmax_(zeros_like(arena.values())) {
    if (options.ema_decay <= 0) return;
    average_ = arena.values().clone();
    average_buffers_ = arena.buffers().clone();
}

float Optimizer::step(float learning_rate) {
    kernels::AmsgradStep step{
        arena_.gradients().size(), steps_ + 1, learning_rate,         options_.beta1, options_.beta2, options_.eps,
        options_.weight_decay,     1,          options_.eps_placement};
    // The first steps move far: a long memory of the random start would take thousands of steps to fade.
    const float decay = std::min(options_.ema_decay, (2.0f + float(steps_)) / (11.0f + float(steps_)));
    const bool on_gpu = arena_.gradients().device().kind == Device::Kind::cuda;
    const float norm = on_gpu ? update_on_gpu(step, decay) : update_on_cpu(step, decay);
    if (average_.defined())
        KARYON_RUN(arena_.buffers().device(), exponential_moving_average, arena_.buffers().size(), decay,
                   arena_.buffers(), average_buffers_);
    ++steps_;
    arena_.gradients().zero();
    return norm;
}

void Optimizer::require_finite(double norm) const {
    if (!std::isfinite(norm))
        throw Error("training", "expected finite gradients, the first that is not is that of {} (step {})",
                    arena_.first_non_finite(arena_.gradients(), Tensor()), steps_ + 1);
}

float Optimizer::update_on_cpu(kernels::AmsgradStep step, float decay) {
    const Tensor& gradients = arena_.gradients();
    kernels::Stream& stream = current_stream(gradients.device());
    const double norm = std::sqrt(kernels::cpu::sum_of_squares(stream, step.count, gradients));
    require_finite(norm);
    if (options_.grad_clip > 0 && norm > options_.grad_clip) step.grad_scale = float(options_.grad_clip / norm);
    kernels::cpu::amsgrad(stream, step, gradients, arena_.values(), m_, v_, vmax_);
    if (average_.defined())
        kernels::cpu::exponential_moving_average(stream, step.count, decay, arena_.values(), average_);
    return float(norm);
}

#if KARYON_HAS_CUDA

// The norm is looked at only when all is queued: the kernel leaves everything as it was where it is not finite.
float Optimizer::update_on_gpu(const kernels::AmsgradStep& step, float decay) {
    const Tensor& gradients = arena_.gradients();
    kernels::Stream& stream = current_stream(gradients.device());
    const kernels::AmsgradCoefficients coefficients(step, decay);
    const Tensor on_device = Tensor::empty({sizeof coefficients / sizeof(float)}, DType::f32, gradients.device());
    on_device.copy_from_bytes(std::as_bytes(std::span(&coefficients, 1)));
    const Tensor norm = Tensor::empty({1}, DType::f32, gradients.device());
    kernels::gpu::gradient_norm(stream, step.count, gradients, norm);
    kernels::gpu::amsgrad(stream, step.count, {on_device, norm, options_.grad_clip, average_}, gradients,
                          arena_.values(), m_, v_, vmax_);
    const float value = norm.item();
    require_finite(value);
    return value;
}

#else

float Optimizer::update_on_gpu(const kernels::AmsgradStep&, float) { throw Error("optimizer", "expected a CPU"); }

#endif

std::vector<std::pair<std::string, Tensor>> Optimizer::state() const {
    std::vector<std::pair<std::string, Tensor>> state;
    for (const auto& [name, tensor] : {std::pair{"optimizer.m", m_},
                                       {"optimizer.v", v_},
                                       {"optimizer.vmax", vmax_},
                                       {"average.values", average_},
                                       {"average.buffers", average_buffers_}})
        if (tensor.defined()) state.emplace_back(name, tensor);
    return state;
}

}  // namespace karyon
