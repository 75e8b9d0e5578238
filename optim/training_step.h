#pragma once

#include "data/loader.h"
#include "models/model.h"
#include "optim/config.h"
#include "optim/optimizer.h"
#include "tensor/cuda.h"

namespace karyon {

/// One step of training on the model's device: forward, losses, backward, update. On a GPU the second step is recorded
/// as a graph, which that step and all after it launch.
class TrainingStep {
  public:
    struct Result {
        float loss = 0, gradient_norm = 0;
    };

    TrainingStep(const TrainConfig&, const Model&, Optimizer&);

    /// `index` counts steps from 0 and decides what drop-connect drops. Throws Error naming the first tensor that is
    /// not finite where the loss or a gradient is not; parameters are then as they were.
    Result operator()(const Batch&, float learning_rate, std::int64_t index);

  private:
    Result on_cpu(const Batch&, float learning_rate, std::int64_t index);
    Result on_gpu(const Batch&, float learning_rate, std::int64_t index);
    Tensor loss_of(const Batch&, const Pass&) const;
    void require_finite(float loss, std::int64_t index) const;

    const TrainConfig& config_;
    const Model& model_;
    Optimizer& optimizer_;
    const DType precision_;
    cuda::Graph graph_;  ///< outlives the tensors made in it
    Batch placed_;       ///< what the graph reads
    Tensor index_, loss_;
};

}  // namespace karyon
