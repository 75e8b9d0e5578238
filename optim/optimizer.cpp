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

kernels::AmsgradStep Optimizer::next_step(float learning_rate) const {
    return {arena_.gradients().size(), steps_ + 1, learning_rate,         options_.beta1, options_.beta2, options_.eps,
            options_.weight_decay,     1,          options_.eps_placement};
}

// The first steps move far: a long memory of the random start would take thousands of steps to fade.
float Optimizer::average_decay() const {
    return std::min(options_.ema_decay, (2.0f + float(steps_)) / (11.0f + float(steps_)));
}

float Optimizer::step(float learning_rate) {
    float norm = 0;
    if (arena_.gradients().device().kind == Device::Kind::cpu) {
        norm = update_on_cpu(next_step(learning_rate));
    } else {
        prepare(learning_rate);
        queue();
        norm = finish();
    }
    arena_.gradients().zero();
    return norm;
}

void Optimizer::require_finite(double norm) const {
    if (!std::isfinite(norm))
        throw Error("training", "expected finite gradients, the first that is not is that of {} (step {})",
                    arena_.first_non_finite(arena_.gradients(), Tensor()), steps_ + 1);
}

float Optimizer::update_on_cpu(kernels::AmsgradStep step) {
    const Tensor& gradients = arena_.gradients();
    kernels::Stream& stream = current_stream(gradients.device());
    const double norm = std::sqrt(kernels::cpu::sum_of_squares(stream, step.count, gradients));
    require_finite(norm);
    if (options_.grad_clip > 0 && norm > options_.grad_clip) step.grad_scale = float(options_.grad_clip / norm);
    kernels::cpu::amsgrad(stream, step, gradients, arena_.values(), m_, v_, vmax_);
    if (average_.defined())
        for (const auto& [average, now] :
             {std::pair{average_, arena_.values()}, std::pair{average_buffers_, arena_.buffers()}})
            kernels::cpu::exponential_moving_average(stream, now.size(), average_decay(), now, average);
    ++steps_;
    return float(norm);
}

#if KARYON_HAS_CUDA

void Optimizer::prepare(float learning_rate) {
    const kernels::AmsgradCoefficients coefficients(next_step(learning_rate), average_decay());
    if (!coefficients_.defined()) {
        const Device device = arena_.gradients().device();
        coefficients_ = Tensor::empty({sizeof coefficients / sizeof(float)}, DType::f32, device);
        norm_ = Tensor::empty({1}, DType::f32, device);
    }
    coefficients_.copy_from_bytes(std::as_bytes(std::span(&coefficients, 1)));
}

void Optimizer::queue() {
    const Tensor& gradients = arena_.gradients();
    kernels::Stream& stream = current_stream(gradients.device());
    kernels::gpu::gradient_norm(stream, gradients.size(), gradients, norm_);
    kernels::gpu::amsgrad(stream, gradients.size(), {coefficients_, norm_, options_.grad_clip, average_}, gradients,
                          arena_.values(), m_, v_, vmax_);
    if (average_.defined())
        kernels::gpu::exponential_moving_average(stream, arena_.buffers().size(), coefficients_, arena_.buffers(),
                                                 average_buffers_);
}

float Optimizer::finish() {
    const float norm = norm_.item();
    require_finite(norm);
    ++steps_;
    return norm;
}

#else

void Optimizer::prepare(float) { throw Error("optimizer", "expected parameters on cpu"); }
void Optimizer::queue() {}
float Optimizer::finish() { return 0; }

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
