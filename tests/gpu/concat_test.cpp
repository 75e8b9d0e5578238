#include "kernels/elementwise/concat.h"

#include "tests/gpu/op_case.h"

using namespace karyon;
using namespace karyon::test;

namespace {

using Channels = std::vector<int>;

std::string text_of(const Channels& channels) { return fmt::format("{}", fmt::join(channels, "+")); }

std::size_t sum_of(const Channels& channels) {
    std::size_t sum = 0;
    for (const int width : channels) sum += static_cast<std::size_t>(width);
    return sum;
}

/// Calls body(part, index in the part, index in the joined rows) for every element.
template <typename Body>
void for_each_element(std::size_t rows, const Channels& channels, Body body) {
    std::size_t joined = 0;
    for (std::size_t row = 0; row < rows; ++row)
        for (std::size_t part = 0; part < channels.size(); ++part) {
            const auto width = static_cast<std::size_t>(channels[part]);
            for (std::size_t c = 0; c < width; ++c) body(part, row * width + c, joined++);
        }
}

OpCase forward_case(DType type, std::size_t rows, const Channels& channels) {
    std::vector<Values> inputs;
    for (const int width : channels)
        inputs.push_back(uniform(type, rows * static_cast<std::size_t>(width), inputs.size() + 1));
    return {.name = fmt::format("concat_forward {} {}x({})", name_of(type), rows, text_of(channels)),
            .inputs = inputs,
            .results = {Result::of(type, rows * sum_of(channels), 0, 0)},
            .run =
                [=](auto& stream, auto in, auto out) {
                    std::vector<kernels::ConcatInput> parts;
                    for (std::size_t i = 0; i < channels.size(); ++i) parts.push_back({in[i], channels[i]});
                    kernels::gpu::concat_forward(stream, static_cast<std::int64_t>(rows), parts, out[0]);
                },
            .reference =
                [=](const auto& in) {
                    Doubles y(rows * sum_of(channels));
                    for_each_element(rows, channels, [&](std::size_t part, std::size_t from, std::size_t to) {
                        y[to] = in[part][from];
                    });
                    return std::vector<Doubles>{y};
                }};
}

/// The part `left_out` is not wanted; -1: all are.
OpCase backward_case(DType type, std::size_t rows, const Channels& channels, int left_out = -1) {
    std::vector<Result> results;
    for (const int width : channels) results.push_back(Result::of(type, rows * static_cast<std::size_t>(width), 0, 0));
    if (left_out >= 0) results[static_cast<std::size_t>(left_out)].absent = true;
    return {.name = fmt::format("concat_backward {} {}x({})", name_of(type), rows, text_of(channels)),
            .inputs = {uniform(type, rows * sum_of(channels), 1)},
            .results = results,
            .run =
                [=](auto& stream, auto in, auto out) {
                    std::vector<kernels::ConcatOutput> parts;
                    for (std::size_t i = 0; i < channels.size(); ++i) parts.push_back({out[i], channels[i]});
                    kernels::gpu::concat_backward(stream, static_cast<std::int64_t>(rows), in[0], parts);
                },
            .reference =
                [=](const auto& in) {
                    std::vector<Doubles> parts;
                    for (const int width : channels) parts.emplace_back(rows * static_cast<std::size_t>(width));
                    for_each_element(rows, channels, [&](std::size_t part, std::size_t to, std::size_t from) {
                        parts[part][to] = in[0][from];
                    });
                    return parts;
                }};
}

}  // namespace

TEST_CASE("gpu concat: units of 16, 4 and 2 bytes, and each part left out") {
    const Channels all[] = {{1}, {16, 24}, {16, 6}, {3, 3}, {5, 2, 8}, {7, 0, 1, 2}, {2056, 24}, {600, 421}};
    for (const DType type : {DType::f32, DType::bf16})
        for (const Channels& channels : all)
            for (const std::size_t rows : {0, 1, 37}) {
                check(forward_case(type, rows, channels));
                check(backward_case(type, rows, channels));
            }
    for (const DType type : {DType::f32, DType::bf16}) {
        check(forward_case(type, 401, {16, 6}));
        check(backward_case(type, 401, {16, 6}, 0));
    }
    for (const int left_out : {0, 1, 2}) check(backward_case(DType::bf16, 19, {8, 16, 24}, left_out));
}

TEST_CASE("gpu concat names what it does not take") {
    kernels::CudaStream stream;
    const float a[2] = {};
    const bfloat16 b[2] = {};
    float y[2];
    const kernels::ConcatInput mixed[] = {{a, 1}, {b, 1}};
    CHECK_THROWS_WITH_AS(kernels::gpu::concat_forward(stream, 1, mixed, y), "[kernel] expected f32 elements, got bf16",
                         Error);
    const std::vector<kernels::ConcatInput> many(9, {a, 1});
    CHECK_THROWS_WITH_AS(kernels::gpu::concat_forward(stream, 1, many, y), "[concat] expected at most 8 tensors, got 9",
                         Error);
}

KARYON_NETWORK_CASES(concat) {
    std::vector<NetworkCase> cases;
    const auto add = [&](DType type, std::size_t rows, const char* shape, const Channels& channels) {
        const kernels::Cost cost = kernels::concat_cost(static_cast<std::int64_t>(rows * sum_of(channels)), type);
        cases.push_back({fmt::format("concat_forward {} {}x({})", name_of(type), shape, text_of(channels)), cost,
                         [=] { return forward_case(type, rows, channels); }});
        cases.push_back({fmt::format("concat_backward {} {}x({})", name_of(type), shape, text_of(channels)), cost,
                         [=] { return backward_case(type, rows, channels); }});
    };
    for (const DType type : {DType::f32, DType::bf16}) {
        add(type, 8 * 16 * 16, "8x16x16", {448, 160});
        add(type, 2 * 64 * 64, "2x64x64", {128, 32});
        add(type, 256 * 256, "256x256", {16, 6});
    }
    return cases;
}
