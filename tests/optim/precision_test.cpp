#include "kernels/conv/conv2d.h"
#include "optim/trainer.h"
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
