#include <fmt/format.h>

#include "tensor/allocator.h"
#include "tests/optim/small_training.h"

using namespace karyon;
using karyon::test::compare_losses;
using karyon::test::Training;

namespace {

const Device cpu{}, gpu{Device::Kind::cuda, 0};

}  // namespace

TEST_CASE("20 steps of training in fp32 give the CPU's losses") {
    compare_losses(Training(gpu, DType::f32), Training(cpu, DType::f32), 20, 1e-4);
}

TEST_CASE("20 steps of training in bf16 give the CPU's losses") {
    compare_losses(Training(gpu, DType::bf16), Training(cpu, DType::f32), 20, 2e-2);
}

TEST_CASE("the decoder on expansions trains as on the CPU") {
    compare_losses(Training(gpu, DType::f32, DecoderForm::keras), Training(cpu, DType::f32, DecoderForm::keras), 3,
                   1e-4);
}

TEST_CASE("training on the GPU gives the same bits twice, and asks for no memory after the first step") {
    Training first(gpu, DType::f32), second(gpu, DType::f32);
    first.step(0);
    second.step(0);
    const std::size_t segments = Allocator::of(gpu).use().segments;
    for (std::uint64_t i = 1; i < 3; ++i) {
        first.step(i);
        second.step(i);
    }
    CHECK(Allocator::of(gpu).use().segments == segments);
    const Tensor a = first.arena().values().to({}), b = second.arena().values().to({});
    CHECK(std::ranges::equal(a.span<float>(), b.span<float>()));
}
