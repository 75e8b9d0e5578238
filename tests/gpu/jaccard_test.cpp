#include "kernels/loss/jaccard.h"

#include "tests/gpu/op_case.h"
#include "tests/kernels/loss_reference.h"

using namespace karyon;
using namespace karyon::test;

namespace {

constexpr float smooth = 1e-5f;

kernels::JaccardShape shape_of(std::size_t count) { return {static_cast<std::int64_t>(count), smooth}; }

Values target_of(DType type, std::size_t count) {
    return type == DType::u8 ? integers(type, count, 2, 0, 1) : uniform(type, count, 2, 0, 1);
}

OpCase forward_case(DType target, std::size_t count) {
    return {
        .name = fmt::format("jaccard_forward {} {}", name_of(target), count),
        .inputs = {uniform(DType::f32, count, 1, -6, 6), target_of(target, count)},
        .results = {Result::of(DType::f32, 3, 1e-6, 0), Result::of(DType::f32, 1, 1e-6, 1e-7)},
        .run = [=](auto& stream, auto in,
                   auto out) { kernels::gpu::jaccard_forward(stream, shape_of(count), in[0], in[1], out[0], out[1]); },
        .reference =
            [](const auto& in) {
                const JaccardSums s = jaccard_sums_reference(in[0], in[1]);
                return std::vector<Doubles>{{s.intersection, s.prediction, s.target},
                                            {jaccard_reference(s, double{smooth})}};
            }};
}

OpCase backward_case(DType target, std::size_t count) {
    const Values logits = uniform(DType::f32, count, 1, -6, 6), mask = target_of(target, count);
    const JaccardSums s = jaccard_sums_reference(logits.at, mask.at);
    const Values sums = as_type(DType::f32, {s.intersection, s.prediction, s.target});
    return {
        .name = fmt::format("jaccard_backward {} {}", name_of(target), count),
        .inputs = {logits, mask, sums, as_type(DType::f32, {1.5})},
        .results = {Result::of(DType::f32, count, 5e-6, 1e-9)},
        .run =
            [=](auto& stream, auto in, auto out) {
                kernels::gpu::jaccard_backward(stream, shape_of(count), in[0], in[1], in[2], in[3], out[0]);
            },
        .reference =
            [](const auto& in) {
                const JaccardSums given{in[2][0], in[2][1], in[2][2]};
                return std::vector<Doubles>{jaccard_gradient_reference(in[0], in[1], given, double{smooth}, in[3][0])};
            }};
}

}  // namespace

TEST_CASE("gpu soft Jaccard: both forms of target, several blocks and tails") {
    for (const DType target : {DType::u8, DType::f32})
        for (const std::size_t count : {1, 6, 4096, 70001}) {
            check(forward_case(target, count));
            check(backward_case(target, count));
        }
}

TEST_CASE("gpu soft Jaccard of certain predictions is exact") {
    OpCase op = forward_case(DType::u8, 10);
    op.inputs[0].at = {200, 200, 200, 200, 200, -200, -200, -200, -200, -200};
    op.inputs[1].at = {1, 1, 1, 0, 0, 1, 0, 0, 0, 0};
    op.results[0] = Result::of(DType::f32, 3, 0, 0);
    check(op);
}

TEST_CASE("gpu soft Jaccard over more elements than one round of its blocks") {
    constexpr std::size_t count = 1024 * 4096 + 5;
    OpCase op = forward_case(DType::u8, count);
    op.inputs[0] = {DType::f32, Doubles(count)};
    check(op);
}

TEST_CASE("gpu soft Jaccard names a target of another type") {
    kernels::CudaStream stream;
    const float x[1] = {};
    const std::int32_t t[1] = {};
    float y[4];
    CHECK_THROWS_WITH_AS(kernels::gpu::jaccard_forward(stream, {}, x, t, y, y + 3),
                         "[jaccard] expected a target of u8 or f32 elements, got i32", Error);
}

KARYON_NETWORK_CASES(jaccard) {
    constexpr std::size_t count = 8 * 256 * 256;
    // The flops of the forward pass depend on what the reduction counts.
    const kernels::Cost forward{kernels::cost(shape_of(count), DType::f32).bytes, 0};
    const kernels::Cost backward{forward.bytes + 4.0 * count, 10.0 * count};
    return {{"jaccard_forward u8 8x256x256", forward, [] { return forward_case(DType::u8, count); }},
            {"jaccard_backward u8 8x256x256", backward, [] { return backward_case(DType::u8, count); }}};
}
