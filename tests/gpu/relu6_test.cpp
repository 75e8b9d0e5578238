#include "kernels/elementwise/relu6.h"

#include "tests/gpu/op_case.h"
#include "tests/kernels/relu6_reference.h"

using namespace karyon;
using namespace karyon::test;

namespace {

OpCase forward_case(DType type, std::size_t count) {
    return {
        .name = fmt::format("relu6_forward {} {}", name_of(type), count),
        .inputs = {uniform(type, count, 1, -6, 12)},
        .results = {Result::of(type, count, 0, 0)},
        .run = [=](auto& stream, auto in,
                   auto out) { kernels::gpu::relu6_forward(stream, static_cast<std::int64_t>(count), in[0], out[0]); },
        .reference = [](const auto& in) { return std::vector<Doubles>{relu6_reference(in[0])}; }};
}

OpCase backward_case(DType type, std::size_t count) {
    return {.name = fmt::format("relu6_backward {} {}", name_of(type), count),
            .inputs = {uniform(type, count, 1, -6, 12), uniform(type, count, 2)},
            .results = {Result::of(type, count, 0, 0)},
            .run =
                [=](auto& stream, auto in, auto out) {
                    kernels::gpu::relu6_backward(stream, static_cast<std::int64_t>(count), in[0], in[1], out[0]);
                },
            .reference = [](const auto& in) { return std::vector<Doubles>{relu6_backward_reference(in[0], in[1])}; }};
}

}  // namespace

TEST_CASE("gpu relu6: every kind of tail, exactly") {
    for (const DType type : {DType::f32, DType::bf16})
        for (const std::size_t count : {0, 5, 2048, 4099}) {
            check(forward_case(type, count));
            check(backward_case(type, count));
        }
}

KARYON_NETWORK_CASES(relu6) {
    constexpr std::size_t count = 2 * 64 * 64 * 192;
    std::vector<NetworkCase> cases;
    for (const DType type : {DType::f32, DType::bf16}) {
        kernels::Cost cost = kernels::relu6_cost(count, type);
        cases.push_back({fmt::format("relu6_forward {} 2x64x64x192", name_of(type)), cost,
                         [=] { return forward_case(type, count); }});
        cost.bytes *= 1.5;
        cases.push_back({fmt::format("relu6_backward {} 2x64x64x192", name_of(type)), cost,
                         [=] { return backward_case(type, count); }});
    }
    return cases;
}
