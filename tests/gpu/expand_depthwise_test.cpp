#include "kernels/conv/expand_depthwise.h"

#include "tests/gpu/op_case.h"
#include "tests/kernels/depthwise_conv_reference.h"

using namespace karyon;
using namespace karyon::test;
using kernels::Activation, kernels::Epilogue, kernels::ExpandDepthwiseShape, kernels::F32Math, kernels::Padding;
namespace gpu = kernels::gpu;

namespace {

using Shape = ExpandDepthwiseShape;

std::size_t x_size(const Shape& s) { return depthwise::x_size(s.depthwise) / s.depthwise.channels * s.in_channels; }

/// f(x w + b) by its definition, in double.
Doubles expanded(const Shape& s, Activation f, const Doubles& x, const Doubles& w, const Doubles& b) {
    const auto in = std::size_t(s.in_channels), channels = std::size_t(s.depthwise.channels);
    Doubles e(depthwise::x_size(s.depthwise));
    for (std::size_t i = 0; i < e.size(); ++i) {
        double sum = b.empty() ? 0 : b[i % channels];
        for (std::size_t c = 0; c < in; ++c) sum += x[i / channels * in + c] * w[i % channels * in + c];
        e[i] = activation_reference(f, sum);
    }
    return e;
}

/// Integers so small that e is exact in bf16 and y in f32; or reals.
struct Numbers {
    DType type;
    bool exact = false, biased = true;
    F32Math math = F32Math::tf32x3;

    Values values(DType of, std::size_t count, std::uint64_t seed) const {
        return exact ? integers(of, count, seed, -1, 1) : uniform(of, count, seed);
    }
    /// Reals: a value of e near the middle of two bf16 may go the other way on the GPU; a sum of f32 is off by some
    /// 1e-7 a term, or 1e-3 where TF32 rounds the products.
    Result result(std::size_t count) const {
        if (exact) return Result::of(type, count, 0, 0);
        if (type == DType::bf16) return Result::of(type, count, 0x1p-8, 0x1p-4);
        return Result::of(type, count, 1e-6, math == F32Math::tf32 ? 3e-2 : 3e-5);
    }
};

OpCase forward_case(const Shape& s, const Numbers& numbers, Activation f = Activation::silu,
                    Activation g = Activation::silu) {
    const auto& d = s.depthwise;
    const auto channels = std::size_t(d.channels);
    const auto bias = [&](std::uint64_t seed) {
        return numbers.biased ? numbers.values(DType::f32, channels, seed) : none();
    };
    return {
        .name = fmt::format("expand_depthwise {}{} {} {} from {} channels, {}", name_of(numbers.type),
                            numbers.exact ? " exact" : "", name_of(f), name_of(g), s.in_channels, depthwise::text(d)),
        .inputs = {numbers.values(numbers.type, x_size(s), 1),
                   numbers.values(numbers.type, channels * std::size_t(s.in_channels), 2), bias(3),
                   numbers.values(DType::f32, depthwise::w_size(d), 4), bias(5)},
        .results = {numbers.result(depthwise::y_size(d))},
        .run =
            [=](auto& stream, auto in, auto out) {
                stream.f32_math = numbers.math;
                Epilogue before, after;
                before.bias = in[2], before.activation = f;
                after.bias = in[4], after.activation = g;
                gpu::expand_depthwise_forward(stream, s, in[0], in[1], before, in[3], after, out[0]);
            },
        .reference =
            [=](const auto& in) {
                const Doubles e = as_type(numbers.type, expanded(s, f, in[0], in[1], in[2])).at;
                Doubles y = depthwise::reference_forward(d, e, in[3]);
                for (std::size_t i = 0; i < y.size(); ++i)
                    y[i] = activation_reference(g, y[i] + (in[4].empty() ? 0 : in[4][i % channels]));
                return std::vector<Doubles>{numbers.exact ? as_type(numbers.type, y).at : y};
            }};
}

/// Every kind of tail: of both channels, of pixels of a tile, of rows and columns of tiles, of images of a tile;
/// padding on every side. The last has several slabs in a block, of which the last block takes fewer.
const Shape shapes[] = {
    {1, {1, 1, 1, 1, 3, 1, {1, 1, 1, 1}}},       {7, {1, 1, 1, 7, 5, 2, {2, 2, 2, 2}}},
    {24, {3, 1, 1, 24, 5, 1, {2, 2, 2, 2}}},     {3, {1, 2, 3, 5, 5, 2, {2, 2, 2, 2}}},
    {17, {2, 9, 7, 33, 3, 1, {1, 1, 1, 1}}},     {8, {1, 17, 19, 40, 3, 1, {1, 1, 1, 1}}},
    {40, {1, 18, 21, 8, 5, 1, {0, 0, 0, 0}}},    {12, {5, 8, 8, 72, 5, 1, {2, 2, 2, 2}}},
    {56, {7, 4, 4, 48, 3, 1, {1, 1, 1, 1}}},     {24, {3, 16, 16, 36, 3, 2, {0, 0, 1, 1}}},
    {32, {1, 21, 23, 64, 5, 2, {1, 2, 2, 1}}},   {8, {1, 4, 4, 3, 5, 1, {4, 0, 1, 3}}},
    {20, {1, 3, 4, 19, 3, 1, {5, 6, 4, 3}}},     {56, {1, 20, 33, 40, 5, 1, {2, 2, 2, 2}}},
    {8, {1, 131, 133, 160, 3, 2, {1, 1, 1, 1}}},
};

constexpr DType types[] = {DType::f32, DType::bf16};

}  // namespace

TEST_CASE("gpu expand_depthwise: exact on small integers, at every kind of tail") {
    for (const DType type : types)
        for (const Shape& s : shapes)
            check(forward_case(s, {.type = type, .exact = true}, Activation::relu, Activation::none));
}

TEST_CASE("gpu expand_depthwise: real numbers, every activation, with and without bias") {
    for (const DType type : types) {
        for (const std::size_t at : {4, 7, 9, 10, 13}) check(forward_case(shapes[at], {.type = type}));
        for (const Activation f : {Activation::none, Activation::relu, Activation::sigmoid})
            check(forward_case(shapes[4], {.type = type}, f, f));
        check(forward_case(shapes[5], {.type = type, .biased = false}));
    }
    check(forward_case(shapes[9], {.type = DType::f32, .math = F32Math::tf32}));
}

TEST_CASE("gpu expand_depthwise: where it saves traffic, and what it costs") {
    const auto saves = [](int in, int size, int kernel, int stride, DType type) {
        const int before = (kernel - stride) / 2, after = kernel - stride - before;
        return gpu::expand_depthwise_saves_traffic(
            {in, {8, size, size, 6 * in, kernel, stride, {before, before, after, after}}}, type);
    };
    for (const DType type : types) {
        CHECK(saves(24, 128, 3, 2, type));
        CHECK(saves(32, 64, 3, 1, type));
        CHECK(saves(32, 64, 5, 2, type));
        CHECK(!saves(56, 32, 5, 1, type));
        CHECK(saves(56, 32, 3, 2, type));
        CHECK(!saves(112, 16, 3, 1, type));
        CHECK(!saves(160, 16, 5, 1, type));
        CHECK(!saves(272, 8, 5, 1, type));
        CHECK(!saves(4000, 8, 3, 1, type));  // no tile fits
    }
    // x 2*3*5*4, weights 8*4 and 9*8, y 2*3*5*8, all f32; products of both.
    const kernels::Cost cost = kernels::cost({4, {2, 3, 5, 8, 3, 1, {1, 1, 1, 1}}}, DType::f32);
    CHECK(cost.bytes == 4 * (120 + 32 + 72 + 240));
    CHECK(cost.flops == 2 * (240 * 4 + 240 * 9));
}

TEST_CASE("gpu expand_depthwise refuses what it does not take") {
    kernels::CudaStream stream;
    float value = 0;
    const auto forward = [&](const Shape& s, const Epilogue& before, const Epilogue& after) {
        gpu::expand_depthwise_forward(stream, s, &value, &value, before, &value, after, &value);
    };
    const Shape s{4, {1, 4, 4, 8, 3, 1, {1, 1, 1, 1}}};
    Epilogue residual, statistics;
    residual.residual = &value;
    statistics.mean = statistics.variance = &value;
    const char* const told =
        "[expand_depthwise_forward] expected an epilogue of bias and activation, got one with a residual or statistics";
    CHECK_THROWS_WITH_AS(forward(s, {}, residual), told, Error);
    CHECK_THROWS_WITH_AS(forward(s, statistics, {}), told, Error);
    CHECK_THROWS_WITH_AS(forward({0, s.depthwise}, {}, {}),
                         "[expand_depthwise_forward] expected a positive in_channels, got 0", Error);
    CHECK_THROWS_WITH_AS(
        forward({4000, s.depthwise}, {}, {}),
        "[expand_depthwise_forward] expected input channels of which a patch fits into 49152 bytes, got 4000", Error);
    CHECK_THROWS_AS(forward({4, {1, 9, 9, 1, 7, 1, {}}}, {}, {}), Error);
}

KARYON_NETWORK_CASES(expand_depthwise) {
    const Shape network[] = {
        {24, {2, 128, 128, 144, 3, 2, {0, 0, 1, 1}}}, {32, {4, 64, 64, 192, 3, 1, {1, 1, 1, 1}}},
        {32, {4, 64, 64, 192, 5, 2, {1, 1, 2, 2}}},   {56, {8, 32, 32, 336, 5, 1, {2, 2, 2, 2}}},
        {56, {8, 32, 32, 336, 3, 2, {0, 0, 1, 1}}},
    };
    std::vector<NetworkCase> cases;
    const auto add = [&](DType type, const Shape& s) {
        const auto& d = s.depthwise;
        kernels::Cost compulsory = cost(s, type);
        compulsory.bytes += 8 * d.channels;  // both biases
        const kernels::Cost tiles = gpu::expand_depthwise_tile_cost(s, type);
        cases.push_back({fmt::format("expand_depthwise {} {}x{}x{} {}->{} k{} s{}", name_of(type), d.batch, d.height,
                                     d.width, s.in_channels, d.channels, d.kernel, d.stride),
                         compulsory,
                         [=] { return forward_case(s, {.type = type}); },
                         {.sector_bytes = tiles.bytes, .flops = tiles.flops}});
    };
    for (const Shape& s : network) add(DType::bf16, s);
    for (const std::size_t at : {0, 3}) add(DType::f32, network[at]);
    return cases;
}
