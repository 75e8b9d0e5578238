#include "kernels/norm/fold_batch_norm.h"

#include <cmath>

#include "tests/gpu/op_case.h"

using namespace karyon;
using namespace karyon::kernels;
using namespace karyon::test;

namespace {

OpCase fold_case(DType type, const FoldShape& s, bool exact = false) {
    const auto width = std::size_t(s.channels), count = width * std::size_t(s.weights);
    const float eps = exact ? 0.25f : 1e-3f;
    const auto values = [&](std::size_t n, std::uint64_t seed) {
        return exact ? integers(DType::f32, n, seed) : uniform(DType::f32, n, seed);
    };
    return {.name = fmt::format("fold_batch_norm {} {} x {}{}", name_of(type), s.channels, s.weights,
                                s.channels_last ? " channels last" : ""),
            .inputs = {values(count, 1), values(width, 2),
                       exact ? Values{DType::f32, Doubles(width, 0.75)} : uniform(DType::f32, width, 3, 0.25f, 2),
                       values(width, 4), values(width, 5)},
            .results = {Result::of(type, count,
                                   exact                ? 0
                                   : type == DType::f32 ? 1e-6
                                                        : 0x1p-8,
                                   0),
                        Result::of(DType::f32, width, 0, exact ? 0 : 1e-6)},
            .run =
                [=](auto& stream, auto in, auto out) {
                    gpu::fold_batch_norm(stream, s, in[0], {in[1], in[2], in[3], in[4], eps, Activation::none, {}},
                                         out[0], out[1]);
                },
            .reference =
                [=](const auto& in) {
                    std::vector<Doubles> results{in[0], in[4]};
                    const auto scale = [&](std::size_t c) { return in[3][c] / std::sqrt(in[2][c] + double(eps)); };
                    for (std::size_t i = 0; i < count; ++i)
                        results[0][i] *= scale(s.channels_last ? i % width : i / std::size_t(s.weights));
                    for (std::size_t c = 0; c < width; ++c) results[1][c] -= in[1][c] * scale(c);
                    return results;
                }};
}

}  // namespace

TEST_CASE("gpu batch norm folded into weights") {
    for (const DType type : {DType::f32, DType::bf16})
        for (const bool last : {false, true})
            for (const auto& [channels, weights] : {std::pair{1, 1}, {7, 9}, {24, 144}, {200, 25}, {3, 1500}})
                for (const bool exact : {false, true}) check(fold_case(type, {channels, weights, last}, exact));
}

KARYON_NETWORK_CASES(fold_batch_norm) {
    std::vector<NetworkCase> cases;
    for (const FoldShape& s : {FoldShape{256, 9 * 608}, FoldShape{160, 960}, FoldShape{960, 25, true}}) {
        cases.push_back(
            {fold_case(DType::bf16, s).name, cost(s, DType::bf16), [=] { return fold_case(DType::bf16, s); }});
    }
    return cases;
}
