#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "layers/arena.h"
#include "models/local_global_unet.h"
#include "optim/optimizer.h"
#include "tensor/autograd.h"
#include "tensor/ops/cast.h"
#include "tensor/ops/loss.h"
#include "tensor/random.h"

namespace karyon::test {

/// A network with every kind of block, its optimiser, and batches that only the step decides.
///
/// Both eps and the learning rate are such that the training is well-conditioned. The optimiser's usual eps of 1e-8
/// takes the sign of every gradient in the first steps, and the deepest batch norms see four values: with the usual
/// values the last digits of the initial weights alone move the losses on the CPU by more than the tolerance within 20
/// steps.
class Training {
  public:
    Training(Device device, DType precision, DecoderForm decoder = DecoderForm::smp)
        : device_(device),
          precision_(precision),
          random_(3),
          net_({.encoder = "b0",
                .view = View::local_global,
                .decoder = decoder,
                .encoder_batch_norm = {0.1f, 0.01f},
                .decoder_batch_norm = {0.1f, 0.1f},
                .drop_connect = 0.2f,
                .side_outputs = true,
                .local = side,
                .margin = 16},
               random_),
          arena_([this](const StateVisitor& v) { net_.visit("", v); }, device),
          optimizer_(arena_, {.eps = 1e-2f, .grad_clip = 1, .ema_decay = 0.9f}) {}

    float step(std::uint64_t index) {
        const Tensor local = view(side, 10 + index), global = view(side + 32, 1000 + index);
        Random random(7, index);
        const auto output = net_(local, global, {.training = true, .random = &random});
        const Tensor target = truth(index).to(device_);
        std::vector<Tensor> terms{jaccard_loss(output.logits, target), binary_cross_entropy(output.logits, target)};
        for (const Tensor& logits : output.side) terms.push_back(jaccard_loss(logits, target));
        const Tensor loss = weighted_sum(terms, {1, 0.5f, 0.1f, 0.1f, 0.1f, 0.1f});
        backward(loss);
        optimizer_.step(1e-4f);
        return loss.item();
    }

    const Arena& arena() const { return arena_; }
    const Optimizer& optimizer() const { return optimizer_; }

  private:
    static constexpr std::int64_t batch = 4, side = 32;

    Tensor view(std::int64_t width, std::uint64_t stream) const {
        Tensor x = Tensor::empty({batch, width, width, 3});
        fill_normal(x.data<float>(), std::size_t(x.size()), 0, 1, 5, stream);
        return cast(x.to(device_), precision_);
    }
    static Tensor truth(std::uint64_t index) {
        Tensor target = Tensor::empty({batch, side, side, 1}, DType::u8);
        for (std::int64_t i = 0; i < target.size(); ++i)
            target.data<std::uint8_t>()[i] = random_word(5, 3 + index, std::uint64_t(i)) % 3 == 0;
        return target;
    }

    Device device_;
    DType precision_;
    Random random_;
    LocalGlobalUnet net_;
    Arena arena_;
    Optimizer optimizer_;
};

/// Trains both and compares the losses of every step, relatively.
inline void compare_losses(Training&& one, Training&& other, int steps, double tolerance) {
    double worst = 0;
    for (int i = 0; i < steps; ++i) {
        const double got = one.step(std::uint64_t(i)), expected = other.step(std::uint64_t(i));
        CAPTURE(i);
        CHECK(got == doctest::Approx(expected).epsilon(tolerance));
        worst = std::max(worst, std::abs(got - expected) / expected);
    }
    MESSAGE("largest relative difference of ", steps, " losses: ", worst);
}

}  // namespace karyon::test
