#include "optim/optimizer.h"

#include <algorithm>
#include <cmath>

#include "tensor/stream.h"

namespace karyon {

Optimizer::Optimizer(const Arena& arena, const OptimizerOptions& options)
    : arena_(arena),
      options_(options),
      m_(Tensor::zeros(arena.values().shape())),
      v_(Tensor::zeros(arena.values().shape())),
      vmax_(Tensor::zeros(arena.values().shape())) {
    if (options.ema_decay <= 0) return;
    average_ = arena.values().clone();
    average_buffers_ = arena.buffers().clone();
}

float Optimizer::step(float learning_rate) {
    const Tensor& gradients = arena_.gradients();
    const std::int64_t count = gradients.size();
    const double norm = std::sqrt(kernels::cpu::sum_of_squares(current_stream(), count, gradients));
    if (!std::isfinite(norm))
        throw Error("training", "expected finite gradients, the first that is not is that of {} (step {})",
                    arena_.first_non_finite(gradients, Tensor()), steps_ + 1);
    kernels::AmsgradStep step{count,
                              ++steps_,
                              learning_rate,
                              options_.beta1,
                              options_.beta2,
                              options_.eps,
                              options_.weight_decay,
                              1,
                              options_.eps_placement};
    if (options_.grad_clip > 0 && norm > options_.grad_clip) step.grad_scale = float(options_.grad_clip / norm);
    kernels::cpu::amsgrad(current_stream(), step, gradients, arena_.values(), m_, v_, vmax_);
    gradients.zero();
    update_averages();
    return float(norm);
}

void Optimizer::update_averages() {
    if (!average_.defined()) return;
    // The first steps move far: a long memory of the random start would take thousands of steps to fade.
    const float decay = std::min(options_.ema_decay, (1.0f + float(steps_)) / (10.0f + float(steps_)));
    for (const auto& [average, now] :
         {std::pair{average_, arena_.values()}, std::pair{average_buffers_, arena_.buffers()}})
        kernels::cpu::exponential_moving_average(current_stream(), now.size(), decay, now, average);
}

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
