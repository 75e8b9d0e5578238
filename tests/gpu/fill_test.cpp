#include "kernels/elementwise/fill.h"

#include "tests/gpu/op_case.h"

using namespace karyon;
using namespace karyon::test;

namespace {

OpCase fill_case(std::size_t count) {
    return {.name = fmt::format("fill {}", count),
            .inputs = {},
            .results = {Result::of(DType::f32, count, 0, 0)},
            .run = [=](auto& stream, auto,
                       auto out) { kernels::gpu::fill(stream, static_cast<std::int64_t>(count), 0.375f, out[0]); },
            .reference = [=](const auto&) { return std::vector<Doubles>{Doubles(count, 0.375)}; }};
}

}  // namespace

TEST_CASE("gpu fill: every kind of tail") {
    for (const std::size_t count : {0, 1, 255, 256, 5003}) check(fill_case(count));
}

KARYON_NETWORK_CASES(fill) {
    constexpr std::size_t count = 2 * 64 * 64 * 192;
    return {{fmt::format("fill f32 {}", count), {4.0 * count, 0}, [] { return fill_case(count); }}};
}
