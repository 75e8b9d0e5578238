#include "tensor/ops/loss.h"

#include "kernels/loss/binary_cross_entropy.h"
#include "kernels/loss/jaccard.h"
#include "tensor/autograd.h"
#include "tensor/ops/check.h"
#include "tensor/stream.h"

namespace karyon {

using namespace kernels;

Tensor jaccard_loss(const Tensor& logits, const Tensor& target, float smooth) {
    require_shape("jaccard_loss", "target", target, logits.shape());
    const JaccardShape shape{logits.size(), smooth};
    Tensor loss = Tensor::empty({1});
    const Tensor sums = Tensor::empty({3});
    cpu::jaccard_forward(current_stream(), shape, logits, target, sums, loss);
    return record("jaccard_loss", std::move(loss), {logits},
                  [shape, sums, saved = Saved(logits), target](const Tensor& dloss, const Gradients& gradients) {
                      const Tensor x = saved.get();
                      Tensor dx = Tensor::empty(x.shape());
                      cpu::jaccard_backward(current_stream(), shape, x, target, sums, dloss, dx);
                      gradients.deliver(0, std::move(dx));
                  });
}

Tensor binary_cross_entropy(const Tensor& logits, const Tensor& target) {
    require_shape("binary_cross_entropy", "target", target, logits.shape());
    Tensor loss = Tensor::empty({1});
    cpu::binary_cross_entropy_forward(current_stream(), logits.size(), logits, target, loss);
    return record("binary_cross_entropy", std::move(loss), {logits},
                  [saved = Saved(logits), target](const Tensor& dloss, const Gradients& gradients) {
                      const Tensor x = saved.get();
                      Tensor dx = Tensor::empty(x.shape());
                      cpu::binary_cross_entropy_backward(current_stream(), x.size(), x, target, dloss, dx);
                      gradients.deliver(0, std::move(dx));
                  });
}

Tensor weighted_sum(const std::vector<Tensor>& terms, const std::vector<float>& weights) {
    require_equal("weighted_sum", "weights", std::int64_t(weights.size()), std::int64_t(terms.size()));
    float total = 0;
    for (std::size_t i = 0; i < terms.size(); ++i) total += weights[i] * terms[i].item();
    return record("weighted_sum", Tensor::full({1}, total), terms,
                  [weights](const Tensor& dy, const Gradients& gradients) {
                      for (std::size_t i = 0; i < weights.size(); ++i)
                          if (gradients.wanted(i)) gradients.deliver(i, Tensor::full({1}, weights[i] * dy.item()));
                  });
}

}  // namespace karyon
