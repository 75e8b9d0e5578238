#include "tensor/autograd.h"

#include <doctest/doctest.h>

#include "tensor/ops/loss.h"
#include "tensor/ops/normalization.h"
#include "tensor/ops/shape.h"

using namespace karyon;

namespace {

Tensor leaf(std::vector<float> values) {
    Tensor tensor = Tensor::from({1, 1, std::int64_t(values.size()), 1}, values);
    tensor.require_gradient();
    return tensor;
}

/// A loss whose gradient is easy: the sum of the terms' first elements through weighted_sum.
Tensor sum_of(const Tensor& x) {
    return record("sum", Tensor::full({1}, x.data<float>()[0]), {x},
                  [shape = x.shape()](const Tensor& dy, const Gradients& g) {
                      Tensor dx = Tensor::zeros(shape);
                      dx.fill(dy.item());
                      g.deliver(0, std::move(dx));
                  });
}

}  // namespace

TEST_CASE("backward adds the gradients of every use, and to what a leaf has already") {
    const Tensor x = leaf({2});
    backward(sum_of(add(add(x, x), x)));
    CHECK(x.gradient().item() == 3);
    backward(sum_of(add(x, x)));
    CHECK(x.gradient().item() == 5);
}

TEST_CASE("a gradient that two inputs share is never written to") {
    const Tensor a = leaf({1}), b = leaf({1});
    const Tensor sum = add(a, b);
    backward(sum_of(add(sum, a)));
    CHECK(a.gradient().item() == 2);
    CHECK(b.gradient().item() == 1);
}

TEST_CASE("NoGrad records nothing, and ends with its scope") {
    const Tensor x = leaf({1});
    {
        const NoGrad no_grad;
        CHECK_FALSE(add(x, x).requires_gradient());
    }
    CHECK(add(x, x).requires_gradient());
    CHECK_FALSE(add(x.detach(), x.detach()).requires_gradient());
}

TEST_CASE("a graph is walked once") {
    const Tensor x = leaf({1});
    const Tensor loss = sum_of(add(x, x));
    backward(loss);
    CHECK_THROWS_AS(backward(loss), Error);
    CHECK_THROWS_AS(backward(Tensor::zeros({1})), Error);
    CHECK_THROWS_AS(backward(Tensor::zeros({2})), Error);
}

TEST_CASE("a recomputable tensor is freed after the forward pass and made again on the way back") {
    const Tensor x = leaf({-1, 0.5f, 2});
    Tensor y = activation(x, Activation::relu);
    const Saved saved(y);
    const std::vector<float> values(y.data<float>(), y.data<float>() + 3);
    y = Tensor();
    const Tensor again = saved.get();
    CHECK(std::vector<float>(again.data<float>(), again.data<float>() + 3) == values);
    CHECK(saved.get().raw() == again.raw());  // while one is alive it is shared
}

TEST_CASE("weighted_sum: value and gradients") {
    const Tensor a = leaf({2}), b = leaf({3});
    const Tensor loss = weighted_sum({sum_of(a), sum_of(b)}, {0.5f, 2});
    CHECK(loss.item() == 7);
    backward(loss);
    CHECK(a.gradient().item() == 0.5f);
    CHECK(b.gradient().item() == 2);
}
