#include "kernels/loss/binary_cross_entropy.h"

#include "tests/gpu/op_case.h"
#include "tests/kernels/loss_reference.h"

using namespace karyon;
using namespace karyon::test;

namespace {

Values target_of(DType type, std::size_t count) {
    return type == DType::u8 ? integers(type, count, 2, 0, 1) : uniform(type, count, 2, 0, 1);
}

OpCase forward_case(DType target, std::size_t count) {
    return {.name = fmt::format("binary_cross_entropy_forward {} {}", name_of(target), count),
            .inputs = {uniform(DType::f32, count, 1, -9, 9), target_of(target, count)},
            .results = {Result::of(DType::f32, 1, 1e-6, 0)},
            .run =
                [=](auto& stream, auto in, auto out) {
                    kernels::gpu::binary_cross_entropy_forward(stream, static_cast<std::int64_t>(count), in[0], in[1],
                                                               out[0]);
                },
            .reference = [](const auto& in) { return std::vector<Doubles>{{cross_entropy_reference(in[0], in[1])}}; }};
}

OpCase backward_case(DType target, std::size_t count) {
    return {.name = fmt::format("binary_cross_entropy_backward {} {}", name_of(target), count),
            .inputs = {uniform(DType::f32, count, 1, -9, 9), target_of(target, count), as_type(DType::f32, {2.5})},
            .results = {Result::of(DType::f32, count, 1e-6, 3e-6 / static_cast<double>(count))},
            .run =
                [=](auto& stream, auto in, auto out) {
                    kernels::gpu::binary_cross_entropy_backward(stream, static_cast<std::int64_t>(count), in[0], in[1],
                                                                in[2], out[0]);
                },
            .reference =
                [](const auto& in) {
                    return std::vector<Doubles>{cross_entropy_gradient_reference(in[0], in[1], in[2][0])};
                }};
}

}  // namespace

TEST_CASE("gpu binary cross-entropy: both forms of target, several blocks and tails") {
    for (const DType target : {DType::u8, DType::f32})
        for (const std::size_t count : {1, 6, 4096, 70001}) {
            check(forward_case(target, count));
            check(backward_case(target, count));
        }
}

TEST_CASE("gpu binary cross-entropy of large logits neither overflows nor loses the small end") {
    for (const double x : {-1e4, -80.0, -20.0, 0.0, 20.0, 80.0, 1e4})
        for (const double t : {0.0, 1.0}) {
            OpCase op = forward_case(DType::u8, 1);
            op.inputs[0].at = {x};
            op.inputs[1].at = {t};
            op.results[0].rel = 1e-5;  // of __expf far out
            op.results[0].abs = 1e-38;
            check(op);
        }
}

KARYON_NETWORK_CASES(binary_cross_entropy) {
    constexpr std::size_t count = 8 * 256 * 256;
    // The flops of the forward pass depend on what a logarithm counts.
    const kernels::Cost forward{kernels::binary_cross_entropy_cost(count, DType::f32).bytes, 0};
    const kernels::Cost backward{forward.bytes + 4.0 * count, 6.0 * count};
    return {{"binary_cross_entropy_forward u8 8x256x256", forward, [] { return forward_case(DType::u8, count); }},
            {"binary_cross_entropy_backward u8 8x256x256", backward, [] { return backward_case(DType::u8, count); }}};
}
