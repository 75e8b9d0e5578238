#include "tests/gpu/op_case.h"
#include "tests/kernels/activation_reference.h"

using namespace karyon;
using namespace karyon::test;
using kernels::Activation;

namespace {

constexpr Activation all_activations[] = {Activation::none, Activation::relu, Activation::silu, Activation::sigmoid};

// __expf is good to some 1e-6 over this range; bf16 results are rounded once.
double rel_of(DType type) { return type == DType::f32 ? 3e-6 : 0x1p-8; }

OpCase forward_case(Activation f, DType type, std::size_t count) {
    return {.name = fmt::format("activation_forward {} {} {}", name_of(f), name_of(type), count),
            .inputs = {uniform(type, count, 1, -8, 8)},
            .results = {Result::of(type, count, rel_of(type), 2e-6)},
            .run =
                [=](auto& stream, auto in, auto out) {
                    kernels::gpu::activation_forward(stream, f, static_cast<std::int64_t>(count), in[0], out[0]);
                },
            .reference = [=](const auto& in) { return std::vector<Doubles>{activation_reference(f, in[0])}; }};
}

OpCase backward_case(Activation f, DType type, std::size_t count) {
    return {.name = fmt::format("activation_backward {} {} {}", name_of(f), name_of(type), count),
            .inputs = {uniform(type, count, 1, -8, 8), uniform(type, count, 2)},
            .results = {Result::of(type, count, rel_of(type), 2e-6)},
            .run =
                [=](auto& stream, auto in, auto out) {
                    kernels::gpu::activation_backward(stream, f, static_cast<std::int64_t>(count), in[0], in[1],
                                                      out[0]);
                },
            .reference =
                [=](const auto& in) { return std::vector<Doubles>{activation_backward_reference(f, in[0], in[1])}; }};
}

}  // namespace

TEST_CASE("gpu activations: every kind of tail") {
    for (const DType type : {DType::f32, DType::bf16})
        for (const Activation f : all_activations)
            for (const std::size_t count : {0, 5, 2048, 4099}) {
                check(forward_case(f, type, count));
                check(backward_case(f, type, count));
            }
}

TEST_CASE("gpu activations far out and at zero") {
    const Doubles x = {-1e30, -200, -100, 0, 100, 200, 1e30};
    for (const Activation f : all_activations) {
        OpCase op = forward_case(f, DType::f32, x.size());
        op.inputs[0].at = as_type(DType::f32, x).at;
        op.results[0].abs = 1e-30;
        op.reference = [=](const auto& in) {
            Doubles y = activation_reference(f, in[0]);
            if (f == Activation::silu) y[0] = 0;
            return std::vector<Doubles>{y};
        };
        check(op);
    }
}

KARYON_NETWORK_CASES(activation) {
    constexpr std::size_t count = 2 * 64 * 64 * 192;
    std::vector<NetworkCase> cases;
    for (const DType type : {DType::f32, DType::bf16}) {
        kernels::Cost cost = kernels::activation_cost(count, type);
        cost.flops = 0;  // depends on what an exponential counts
        cases.push_back({fmt::format("activation_forward silu {} 2x64x64x192", name_of(type)), cost,
                         [=] { return forward_case(Activation::silu, type, count); }});
        cost.bytes *= 1.5;
        cases.push_back({fmt::format("activation_backward silu {} 2x64x64x192", name_of(type)), cost,
                         [=] { return backward_case(Activation::silu, type, count); }});
    }
    return cases;
}
