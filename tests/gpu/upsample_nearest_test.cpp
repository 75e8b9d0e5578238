#include "tests/gpu/op_case.h"
#include "tests/kernels/upsample_reference.h"

using namespace karyon;
using namespace karyon::test;
using kernels::UpsampleShape;

namespace {

std::string text_of(const UpsampleShape& s) {
    return fmt::format("{}x{}x{}x{}", s.batch, s.height, s.width, s.channels);
}

OpCase forward_case(DType type, const UpsampleShape& shape) {
    const std::size_t count = size_of_input(shape);
    return {.name = fmt::format("upsample_nearest_forward {} {}", name_of(type), text_of(shape)),
            .inputs = {uniform(type, count, 1)},
            .results = {Result::of(type, 4 * count, 0, 0)},
            .run = [=](auto& stream, auto in,
                       auto out) { kernels::gpu::upsample_nearest_forward(stream, shape, in[0], out[0]); },
            .reference =
                [=](const auto& in) {
                    Doubles y;
                    for (const std::size_t source : upsample_sources(shape)) y.push_back(in[0][source]);
                    return std::vector<Doubles>{y};
                }};
}

OpCase backward_case(DType type, const UpsampleShape& shape) {
    const std::size_t count = size_of_input(shape);
    return {.name = fmt::format("upsample_nearest_backward {} {}", name_of(type), text_of(shape)),
            .inputs = {integers(type, 4 * count, 1)},
            .results = {Result::of(type, count, 0, 0)},
            .run = [=](auto& stream, auto in,
                       auto out) { kernels::gpu::upsample_nearest_backward(stream, shape, in[0], out[0]); },
            .reference =
                [=](const auto& in) {
                    Doubles dx(count);
                    const std::vector<std::size_t> sources = upsample_sources(shape);
                    for (std::size_t i = 0; i < sources.size(); ++i) dx[sources[i]] += in[0][i];
                    return std::vector<Doubles>{dx};
                }};
}

}  // namespace

TEST_CASE("gpu upsampling: short and long rows, with and without packs") {
    const UpsampleShape shapes[] = {{1, 1, 1, 1}, {0, 3, 3, 8},  {2, 1, 5, 3},   {3, 7, 1, 8},
                                    {2, 5, 3, 6}, {1, 3, 9, 24}, {1, 2, 3, 449}, {1, 2, 5, 512}};
    for (const DType type : {DType::f32, DType::bf16})
        for (const UpsampleShape& shape : shapes) {
            check(forward_case(type, shape));
            check(backward_case(type, shape));
        }
}

KARYON_NETWORK_CASES(upsample_nearest) {
    std::vector<NetworkCase> cases;
    for (const DType type : {DType::f32, DType::bf16})
        for (const UpsampleShape& shape : {UpsampleShape{8, 8, 8, 448}, UpsampleShape{2, 64, 64, 64}}) {
            kernels::Cost cost = kernels::cost(shape, type);
            cases.push_back({fmt::format("upsample_nearest_forward {} {}", name_of(type), text_of(shape)), cost,
                             [=] { return forward_case(type, shape); }});
            cost.flops = 3 * static_cast<double>(size_of_input(shape));
            cases.push_back({fmt::format("upsample_nearest_backward {} {}", name_of(type), text_of(shape)), cost,
                             [=] { return backward_case(type, shape); }});
        }
    return cases;
}
