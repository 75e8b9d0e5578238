#include "kernels/conv/conv2d.h"
#include "optim/trainer.h"
#include "tensor/allocator.h"
#include "tests/optim/small_training.h"

using namespace karyon;
using karyon::test::compare_losses;
using karyon::test::Training;

TEST_CASE("20 steps of training in bf16 give the losses of fp32") {
    if (!kernels::cpu::has_bf16()) return;
    compare_losses(Training({}, DType::bf16), Training({}, DType::f32), 20, 2e-2);
}

TEST_CASE("bf16 is what was asked for where the processor has it, else fp32 with a word about it") {
    TrainConfig config = preset("fast");
    CHECK(precision_of(config) == DType::f32);
    CHECK(precision_warning(config).empty());
    config.precision = "bf16";
    CHECK((precision_of(config) == DType::bf16) == kernels::cpu::has_bf16());
    CHECK(precision_warning(config).empty() == kernels::cpu::has_bf16());
    config.device = "cuda";
    CHECK(precision_of(config) == DType::bf16);
}

TEST_CASE("training on the CPU asks the system for no memory after its first step, and forgets nothing") {
    for (const DType type : {DType::f32, DType::bf16}) {
        if (type == DType::bf16 && !kernels::cpu::has_bf16()) continue;
        Training training({}, type);
        training.step(0);
        const MemoryUse before = Allocator::host().use();
        for (std::uint64_t i = 1; i < 4; ++i) training.step(i);
        const MemoryUse after = Allocator::host().use();
        CHECK(after.segments == before.segments);
        CHECK(after.live == before.live);
    }
}
