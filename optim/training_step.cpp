#include "optim/training_step.h"

#include <bit>
#include <cmath>

#include "optim/trainer.h"
#include "tensor/autograd.h"
#include "tensor/ops/cast.h"
#include "tensor/ops/loss.h"

namespace karyon {
namespace {

/// Streams of the run's seed: the initial weights are stream 0, the loader takes its own, drop-connect one a step.
constexpr std::uint64_t drop_connect_stream = std::uint64_t(1) << 32;

}  // namespace

TrainingStep::TrainingStep(const TrainConfig& config, const Model& model, Optimizer& optimizer)
    : config_(config), model_(model), optimizer_(optimizer), precision_(precision_of(config)) {}

TrainingStep::Result TrainingStep::operator()(const Batch& batch, float learning_rate, std::int64_t index) {
    return model_.device().kind == Device::Kind::cpu ? on_cpu(batch, learning_rate, index)
                                                     : on_gpu(batch, learning_rate, index);
}

TrainingStep::Result TrainingStep::on_cpu(const Batch& batch, float learning_rate, std::int64_t index) {
    Random random(config_.seed, drop_connect_stream + std::uint64_t(index));
    const Tensor loss = loss_of(batch, {.training = true, .random = &random, .stream_offset = {}});
    require_finite(loss.item(), index);
    backward(loss);
    return {loss.item(), optimizer_.step(learning_rate)};
}

TrainingStep::Result TrainingStep::on_gpu(const Batch& batch, float learning_rate, std::int64_t index) {
    const bool first = !placed_.target.defined();
    if (first) index_ = Tensor::empty({2}, DType::i32, model_.device());
    for (const auto& [to, from] : {std::pair{&placed_.local, &batch.local},
                                   {&placed_.global, &batch.global},
                                   {&placed_.target, &batch.target}}) {
        if (first)
            *to = from->to(model_.device());
        else if (to->defined())
            to->copy_from(*from);
    }
    index_.copy_from_bytes(std::as_bytes(std::span(&index, 1)));
    optimizer_.prepare(learning_rate);
    const auto work = [&] {
        model_.arena.gradients().zero();
        Random random(config_.seed, drop_connect_stream);
        loss_ = loss_of(placed_, {.training = true, .random = &random, .stream_offset = index_});
        backward(loss_);
        optimizer_.queue();
    };
    if (first) {
        work();
    } else {
        if (!graph_.recorded()) graph_.record(model_.device().index, work);
        graph_.launch();
    }
    const float loss = loss_.item();
    require_finite(loss, index);
    return {loss, optimizer_.finish()};
}

Tensor TrainingStep::loss_of(const Batch& batch, const Pass& pass) const {
    const auto in_precision = [&](const Tensor& view) { return view.defined() ? cast(view, precision_) : view; };
    const auto output = model_.network(in_precision(batch.local), in_precision(batch.global), pass);
    std::vector<Tensor> terms{jaccard_loss(output.logits, batch.target)};
    std::vector<float> weights{1};
    if (config_.optim.bce_weight > 0) {
        terms.push_back(binary_cross_entropy(output.logits, batch.target));
        weights.push_back(float(config_.optim.bce_weight));
    }
    for (std::size_t i = 0; i < output.side.size(); ++i) {
        terms.push_back(jaccard_loss(output.side[i], batch.target));
        weights.push_back(float(config_.model.side_loss_weights[i]));
    }
    return weighted_sum(terms, weights);
}

void TrainingStep::require_finite(float loss, std::int64_t index) const {
    if (std::isfinite(loss)) return;
    const std::string name = model_.arena.first_non_finite(model_.arena.values(), model_.arena.buffers());
    throw Error("training", "expected a finite loss, got {} at step {}; the first tensor that is not finite is {}",
                loss, index + 1, name.empty() ? "the loss itself" : name);
}

}  // namespace karyon
