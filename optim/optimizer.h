#pragma once

#include <vector>

#include "kernels/optim/amsgrad.h"
#include "layers/arena.h"

namespace karyon {

struct OptimizerOptions {
    float beta1 = 0.9f, beta2 = 0.999f, eps = 1e-8f;
    kernels::EpsPlacement eps_placement = kernels::EpsPlacement::pytorch;
    float weight_decay = 0;  ///< decoupled, times the learning rate
    float grad_clip = 0;     ///< the global norm is scaled down to this; 0: never
    float ema_decay = 0;     ///< of the averaged weights; 0: none are kept
};

/// AMSGrad over the arena of a model, and the exponential moving average of its values and buffers.
class Optimizer {
  public:
    Optimizer(const Arena&, const OptimizerOptions&);

    /// One step with the gradients of the arena, which are zeroed for the next one. Returns their global norm before
    /// clipping. Throws Error naming the first parameter whose gradient is not finite, before anything is changed.
    float step(float learning_rate);

    /// The three parts of step() on a GPU, where the middle one is the same for every step and may be recorded: give
    /// the device this step's numbers; queue the update, which changes nothing where a gradient is not finite; wait,
    /// and return the norm or throw. Gradients stay as they are.
    void prepare(float learning_rate);
    void queue();
    float finish();

    /// The averages where they are kept, else the current values.
    const Tensor& averaged_values() const { return average_.defined() ? average_ : arena_.values(); }
    const Tensor& averaged_buffers() const { return average_.defined() ? average_buffers_ : arena_.buffers(); }

    std::int64_t steps() const { return steps_; }
    void set_steps(std::int64_t steps) { steps_ = steps; }

    /// What a checkpoint must hold beside the arena, with names; undefined tensors are left out.
    std::vector<std::pair<std::string, Tensor>> state() const;

  private:
    kernels::AmsgradStep next_step(float learning_rate) const;
    float average_decay() const;
    void require_finite(double norm) const;
    float update_on_cpu(kernels::AmsgradStep);

    const Arena& arena_;
    OptimizerOptions options_;
    std::int64_t steps_ = 0;
    Tensor m_, v_, vmax_, average_, average_buffers_;
    Tensor coefficients_, norm_;  ///< on a GPU
};

}  // namespace karyon
