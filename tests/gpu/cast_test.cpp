#include "kernels/elementwise/cast.h"

#include "tests/gpu/op_case.h"

using namespace karyon;
using namespace karyon::test;

namespace {

OpCase cast_case(DType from, DType to, std::size_t count) {
    return {.name = fmt::format("cast {} {} {}", name_of(from), name_of(to), count),
            .inputs = {from == DType::u8 ? integers(from, count, 1, 0, 255) : uniform(from, count, 1, -1e3f, 1e3f)},
            .results = {Result::of(to, count, 0, 0)},
            .run = [=](auto& stream, auto in,
                       auto out) { kernels::gpu::cast(stream, static_cast<std::int64_t>(count), in[0], out[0]); },
            .reference = [=](const auto& in) { return std::vector<Doubles>{as_type(to, in[0]).at}; }};
}

constexpr std::pair<DType, DType> pairs[] = {
    {DType::f32, DType::bf16}, {DType::bf16, DType::f32}, {DType::u8, DType::f32}};

}  // namespace

TEST_CASE("gpu cast: every pair, every kind of tail") {
    for (const auto& [from, to] : pairs)
        for (const std::size_t count : {0, 1, 7, 2048, 5003}) check(cast_case(from, to, count));
}

TEST_CASE("gpu cast from the middle of a buffer") {
    for (const auto& [from, to] : pairs) {
        constexpr std::size_t count = 4100;
        OpCase op = cast_case(from, to, count);
        op.results[0].count = count - 1;
        op.run = [](auto& stream, auto in, auto out) {
            const auto move = [&](const auto* first) { kernels::gpu::cast(stream, count - 1, first + 1, out[0]); };
            if (in[0].dtype() == DType::f32) move(in[0].template as<float>());
            if (in[0].dtype() == DType::bf16) move(in[0].template as<bfloat16>());
            if (in[0].dtype() == DType::u8) move(in[0].template as<std::uint8_t>());
        };
        op.reference = [to = to](const auto& in) {
            Doubles y = as_type(to, in[0]).at;
            y.erase(y.begin());
            return std::vector<Doubles>{y};
        };
        check(op);
    }
}

TEST_CASE("gpu cast names the pair that it does not take") {
    kernels::CudaStream stream;
    std::int32_t value = 0;
    float y = 0;
    CHECK_THROWS_WITH_AS(kernels::gpu::cast(stream, 1, &value, &y),
                         "[cast] expected f32 to bf16, bf16 to f32 or u8 to f32, got i32 to f32", Error);
}

KARYON_NETWORK_CASES(cast) {
    constexpr std::size_t count = 8 * 64 * 64 * 32;
    std::vector<NetworkCase> cases;
    for (const auto& [from, to] : pairs)
        cases.push_back({fmt::format("cast {} {} 8x64x64x32", name_of(from), name_of(to)),
                         kernels::cast_cost(count, from, to),
                         [from = from, to = to] { return cast_case(from, to, count); }});
    return cases;
}
