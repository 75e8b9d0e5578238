#include "tensor/ops/loss.h"
#include "tests/layers/reference_fixture.h"

using namespace karyon;
using namespace karyon::test;

namespace {

// Sums are taken in double and one sigmoid is within 2 units of 2^-24, so a loss of order 1 is within 1e-6. A gradient
// is a product of a few such factors.
constexpr double kLoss = 1e-6, kGradient = 5e-6;

using Loss = std::function<Tensor(const Tensor& logits, const Tensor& target)>;

void check_loss(const std::string& name, const Loss& loss) {
    const Reference reference("losses");
    for (const std::string target : {"hard", "soft", "empty"}) {
        CAPTURE(target);
        Tensor logits = reference.tensor("logits");
        logits.require_gradient();
        const Tensor value = loss(logits, reference.tensor(target + ".target"));
        const double expected = reference.tensor(target + "." + name).item();
        CHECK(std::abs(double(value.item()) - expected) <= kLoss * std::abs(expected));
        backward(value);
        check_reference("gradient", logits.gradient(), reference.tensor(target + ".grad_" + name), kGradient);
    }
}

}  // namespace

TEST_CASE("reference: the soft Jaccard loss agrees with PyTorch, value and gradient") {
    const float smooth = Reference("losses").option("smooth");
    check_loss("jaccard",
               [smooth](const Tensor& logits, const Tensor& target) { return jaccard_loss(logits, target, smooth); });
}

TEST_CASE("reference: binary cross-entropy agrees with PyTorch, value and gradient") {
    check_loss("bce", [](const Tensor& logits, const Tensor& target) { return binary_cross_entropy(logits, target); });
}

TEST_CASE("reference: a weighted sum of losses has the weighted sum of their gradients") {
    const Reference reference("losses");
    Tensor logits = reference.tensor("logits");
    logits.require_gradient();
    const Tensor target = reference.tensor("hard.target");
    backward(weighted_sum({jaccard_loss(logits, target), binary_cross_entropy(logits, target)}, {0.75f, 0.5f}));
    const Tensor expected = reference.tensor("hard.grad_jaccard"), bce = reference.tensor("hard.grad_bce");
    for (std::int64_t i = 0; i < expected.size(); ++i)
        expected.data<float>()[i] = 0.75f * expected.data<float>()[i] + 0.5f * bce.data<float>()[i];
    check_reference("gradient", logits.gradient(), expected, kGradient);
}
