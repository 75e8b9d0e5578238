#include "tensor/ops/loss.h"

#include "kernels/elementwise/add.h"
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
    Tensor loss = logits.empty_like({1});
    const Tensor sums = logits.empty_like({3});
    KARYON_RUN(logits.device(), jaccard_forward, shape, logits, target, sums, loss);
    return record("jaccard_loss", std::move(loss), {logits},
                  [shape, sums, saved = Saved(logits), target](const Tensor& dloss, const Gradients& gradients) {
                      const Tensor x = saved.get();
                      Tensor dx = x.empty_like();
                      KARYON_RUN(dloss.device(), jaccard_backward, shape, x, target, sums, dloss, dx);
                      gradients.deliver(0, std::move(dx));
                  });
}

Tensor binary_cross_entropy(const Tensor& logits, const Tensor& target) {
    require_shape("binary_cross_entropy", "target", target, logits.shape());
    Tensor loss = logits.empty_like({1});
    KARYON_RUN(logits.device(), binary_cross_entropy_forward, logits.size(), logits, target, loss);
    return record("binary_cross_entropy", std::move(loss), {logits},
                  [saved = Saved(logits), target](const Tensor& dloss, const Gradients& gradients) {
                      const Tensor x = saved.get();
                      Tensor dx = x.empty_like();
                      KARYON_RUN(dloss.device(), binary_cross_entropy_backward, x.size(), x, target, dloss, dx);
                      gradients.deliver(0, std::move(dx));
                  });
}

Tensor weighted_sum(const std::vector<Tensor>& terms, const std::vector<float>& weights) {
    require_equal("weighted_sum", "weights", std::int64_t(weights.size()), std::int64_t(terms.size()));
    if (terms.empty()) throw Error("weighted_sum", "expected at least one term, got none");
    const auto add_term = [](const Tensor& sum, float weight, const Tensor& term) {
        require_shape("weighted_sum", "term", term, {1});
        KARYON_RUN(sum.device(), add_scaled, 1, weight, term, sum);
    };
    Tensor total = Tensor::zeros({1}, DType::f32, terms.front().device());
    for (std::size_t i = 0; i < terms.size(); ++i) add_term(total, weights[i], terms[i]);
    return record("weighted_sum", std::move(total), terms, [=](const Tensor& dy, const Gradients& gradients) {
        for (std::size_t i = 0; i < weights.size(); ++i) {
            if (!gradients.wanted(i)) continue;
            Tensor gradient = Tensor::zeros({1}, DType::f32, dy.device());
            add_term(gradient, weights[i], dy);
            gradients.deliver(i, std::move(gradient));
        }
    });
}

}  // namespace karyon
