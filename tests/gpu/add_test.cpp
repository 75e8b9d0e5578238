#include "kernels/elementwise/add.h"

#include "tests/gpu/op_case.h"

using namespace karyon;
using namespace karyon::test;

namespace {

OpCase add_case(DType type, std::size_t count) {
    return {.name = fmt::format("add {} {}", name_of(type), count),
            .inputs = {uniform(type, count, 1), uniform(type, count, 2)},
            // Both sides round one exact sum.
            .results = {Result::of(type, count, type == DType::f32 ? 0x1p-24 : 0x1p-8, 0)},
            .run = [=](auto& stream, auto in,
                       auto out) { kernels::gpu::add(stream, static_cast<std::int64_t>(count), in[0], in[1], out[0]); },
            .reference =
                [](const auto& in) {
                    Doubles y = in[0];
                    for (std::size_t i = 0; i < y.size(); ++i) y[i] += in[1][i];
                    return std::vector<Doubles>{y};
                }};
}

}  // namespace

TEST_CASE("add: every kind of tail") {
    for (const DType type : {DType::f32, DType::bf16})
        for (const std::size_t count : {0, 1, 3, 4, 7, 8, 9, 1023, 1024, 2049, 100003}) check(add_case(type, count));
}

TEST_CASE("add names the element type it does not take") {
    std::int32_t value = 0;
    kernels::CudaStream gpu;
    CHECK_THROWS_WITH_AS(kernels::gpu::add(gpu, 1, &value, &value, &value),
                         "[add] expected f32 or bf16 elements, got i32", Error);
}

KARYON_NETWORK_CASES(add) {
    constexpr std::size_t count = 8 * 64 * 64 * 32;
    std::vector<NetworkCase> cases;
    for (const DType type : {DType::f32, DType::bf16})
        cases.push_back({fmt::format("add {} 8x64x64x32", name_of(type)), kernels::add_cost(count, type),
                         [=] { return add_case(type, count); }});
    return cases;
}
