#include <doctest/doctest.h>

#include <numeric>

#include "tensor/allocator.h"
#include "tensor/autograd.h"
#include "tensor/cuda.h"
#include "tensor/ops/cast.h"
#include "tensor/ops/shape.h"

using namespace karyon;

namespace {

const Device gpu{Device::Kind::cuda, 0};

Tensor counted(Shape shape) {
    Tensor tensor = Tensor::empty(std::move(shape));
    std::iota(tensor.data<float>(), tensor.data<float>() + tensor.size(), 0.0f);
    return tensor;
}

bool same(const Tensor& a, const Tensor& b) {
    const Tensor x = a.to({}), y = b.to({});
    return x.shape() == y.shape() && std::ranges::equal(x.span<float>(), y.span<float>());
}

}  // namespace

TEST_CASE("tensors go to the GPU and come back") {
    const Tensor host = counted({3, 5, 7});
    const Tensor device = host.to(gpu);
    CHECK(device.device() == gpu);
    CHECK(same(device, host));
    CHECK(same(device.clone(), host));
    CHECK(same(device.view(7, {2, 5}), host.view(7, {2, 5})));
    CHECK(host.to({}).raw() == host.raw());
    device.zero();
    CHECK(same(device, Tensor::zeros({3, 5, 7})));
    device.fill(2.5f);
    CHECK(same(device, Tensor::full({3, 5, 7}, 2.5f)));
    CHECK(Tensor::full({1}, 4, gpu).item() == 4);
}

TEST_CASE("elements of a tensor on the GPU cannot be taken for host memory") {
    CHECK_THROWS_WITH_AS(Tensor::zeros({2}, DType::f32, gpu).data<float>(),
                         "[tensor] expected a tensor on cpu, got cuda:0", Error);
}

TEST_CASE("devices are named, and one that is not there is refused") {
    CHECK(parse_device("cuda") == gpu);
    CHECK(parse_device("cuda:0") == gpu);
    CHECK_THROWS_AS(parse_device("cuda:99"), Error);
    CHECK_THROWS_WITH_AS(parse_device("cuda:x"), "[device] expected cpu, cuda or cuda:NUMBER, got cuda:x", Error);
    CHECK_THROWS_WITH_AS(parse_device("gpu"), "[device] expected cpu, cuda or cuda:NUMBER, got gpu", Error);
}

TEST_CASE("memory of the GPU is reused, not asked for again") {
    Allocator& memory = Allocator::of(gpu);
    { const Tensor first = Tensor::empty({1000, 1000}, DType::f32, gpu); }
    const std::size_t segments = memory.use().segments, live = memory.use().live;
    for (int i = 0; i < 10; ++i) const Tensor again = Tensor::empty({1000, 1000}, DType::f32, gpu);
    CHECK(memory.use().segments == segments);
    CHECK(memory.use().live == live);
}

TEST_CASE("gradients are collected on the GPU, in the types of their tensors") {
    Tensor x = counted({4}).to(gpu);
    x.require_gradient();
    const Tensor y = cast(add(cast(x, DType::bf16), cast(x, DType::bf16)), DType::f32);
    CHECK(same(y, Tensor::from({4}, std::vector<float>{0, 2, 4, 6})));
    backward(record("sum", Tensor::zeros({1}, DType::f32, gpu), {y}, [](const Tensor& dy, const Gradients& gradients) {
        gradients.deliver(0, Tensor::full({4}, 3, dy.device()));
    }));
    CHECK(same(x.gradient(), Tensor::full({4}, 6)));
}
