#include "kernels/conv/fused_depthwise_conv.h"
#include "tests/gpu/op_case.h"
#include "tests/kernels/depthwise_conv_reference.h"

using namespace karyon;
using namespace karyon::test;
using namespace karyon::test::depthwise;
using kernels::Epilogue, kernels::Padding, kernels::Prologue;
namespace gpu = kernels::gpu;

namespace {

/// Every kind of tail: of channels, of rows and columns of tiles and patches, of images of a tile; padding on every
/// side.
const Shape shapes[] = {
    {1, 1, 1, 1, 3, 1, {1, 1, 1, 1}},    {3, 1, 1, 24, 5, 1, {2, 2, 2, 2}},   {1, 1, 1, 7, 5, 2, {2, 2, 2, 2}},
    {1, 2, 3, 5, 5, 2, {2, 2, 2, 2}},    {2, 9, 7, 33, 3, 1, {1, 1, 1, 1}},   {1, 17, 19, 40, 3, 1, {1, 1, 1, 1}},
    {1, 18, 21, 8, 5, 1, {0, 0, 0, 0}},  {5, 8, 8, 72, 5, 1, {2, 2, 2, 2}},   {7, 4, 4, 16, 3, 1, {1, 1, 1, 1}},
    {3, 16, 16, 32, 3, 2, {0, 0, 1, 1}}, {1, 21, 23, 48, 5, 2, {1, 2, 2, 1}}, {1, 20, 37, 16, 3, 2, {1, 1, 1, 1}},
    {1, 4, 4, 3, 5, 1, {4, 0, 1, 3}},    {1, 3, 4, 19, 3, 1, {5, 6, 4, 3}},   {2, 6, 7, 24, 5, 2, {2, 3, 0, 1}},
    {1, 33, 40, 24, 5, 2, {1, 1, 2, 2}}, {1, 34, 35, 64, 5, 1, {2, 2, 2, 2}},
};

/// Inputs are integers, and results exact, or they are real numbers.
enum class Numbers { integers, real };

Values input(Numbers numbers, DType type, std::size_t count, std::uint64_t seed) {
    return numbers == Numbers::integers ? integers(type, count, seed) : uniform(type, count, seed);
}

/// A sum of up to 25 products, rounded to its type.
Result sums(Numbers numbers, DType type, std::size_t count) {
    if (numbers == Numbers::integers) return Result::of(type, count, 0, 0);
    return Result::of(type, count, type == DType::f32 ? 1e-6 : 0x1p-8, 4e-6);
}

/// A sum over all pixels, added to what was there.
Result weight_sums(Numbers numbers, const Shape& s, double of_input = 0) {
    const Values before = integers(DType::f32, w_size(s), 9);
    if (numbers == Numbers::integers) return Result::added_to(before, 0, 0);
    const double pixels = double(s.batch) * s.out_height() * s.out_width();
    return Result::added_to(before, 2e-6, (2e-6 + of_input) * (1 + std::sqrt(pixels)));
}

using Forward = decltype(&gpu::depthwise_conv_forward);

OpCase forward_case(Numbers numbers, DType type, const Shape& s, Forward forward = gpu::depthwise_conv_forward) {
    return {.name = fmt::format("depthwise forward {} {}", name_of(type), text(s)),
            .inputs = {input(numbers, type, x_size(s), 1), input(numbers, DType::f32, w_size(s), 2)},
            .results = {sums(numbers, type, y_size(s))},
            .run = [=](auto& stream, auto in, auto out) { forward(stream, s, in[0], in[1], out[0]); },
            .reference = [=](const auto& in) { return std::vector<Doubles>{reference_forward(s, in[0], in[1])}; }};
}

OpCase backward_data_case(Numbers numbers, DType type, const Shape& s) {
    return {
        .name = fmt::format("depthwise backward data {} {}", name_of(type), text(s)),
        .inputs = {input(numbers, type, y_size(s), 1), input(numbers, DType::f32, w_size(s), 2)},
        .results = {sums(numbers, type, x_size(s))},
        .run = [=](auto& stream, auto in,
                   auto out) { gpu::depthwise_conv_backward_data(stream, s, in[0], in[1], out[0]); },
        .reference = [=](const auto& in) { return std::vector<Doubles>{reference_backward_data(s, in[0], in[1])}; }};
}

OpCase backward_weights_case(Numbers numbers, DType type, const Shape& s) {
    return {.name = fmt::format("depthwise backward weights {} {}", name_of(type), text(s)),
            .inputs = {input(numbers, type, x_size(s), 1), input(numbers, type, y_size(s), 2)},
            .results = {weight_sums(numbers, s)},
            .run = [=](auto& stream, auto in,
                       auto out) { gpu::depthwise_conv_backward_weights(stream, s, in[0], in[1], out[0]); },
            .reference =
                [=](const auto& in) {
                    return std::vector<Doubles>{reference_backward_weights(s, in[0], in[1], Doubles(w_size(s)))};
                }};
}

constexpr float eps = 1e-3f;

/// mean, variance, gamma and beta of a prologue.
std::vector<Values> norm_inputs(int channels) {
    const auto count = std::size_t(channels);
    return {uniform(DType::f32, count, 11), uniform(DType::f32, count, 12, 0.5f, 2),
            uniform(DType::f32, count, 13, -1.5f, 1.5f), uniform(DType::f32, count, 14)};
}
Prologue prologue_of(std::span<const kernels::In> in, Activation f) {
    return {in[0], in[1], in[2], in[3], eps, f, nullptr};
}
Norm norm_of(const std::vector<Doubles>& in, Activation f) { return {in[0], in[1], in[2], in[3], double(eps), f}; }

/// What the convolution of a type sees, rounded to it: a value near the middle of two may go the other way on the GPU.
Doubles seen(DType type, const Norm& norm, const Doubles& x) { return as_type(type, norm.applied(x)).at; }
double seen_error(DType type) { return type == DType::f32 ? 2e-6 : 0x1p-7; }

/// Training: batch norm and activation before, batch statistics behind.
OpCase training_forward_case(DType type, const Shape& s, Activation f) {
    std::vector<Values> inputs = norm_inputs(s.channels);
    inputs.push_back(uniform(type, x_size(s), 1, -2, 3));
    inputs.push_back(uniform(DType::f32, w_size(s), 2));
    const auto channels = std::size_t(s.channels);
    const double rounding = type == DType::f32 ? 1e-6 : 0x1p-8;
    return {.name = fmt::format("depthwise forward, training, {} {} {}", name_of(f), name_of(type), text(s)),
            .inputs = inputs,
            .results = {Result::of(type, y_size(s), rounding, 8 * seen_error(type)),
                        Result::of(DType::f32, channels, 1e-5, 2 * seen_error(type)),
                        Result::of(DType::f32, channels, 10 * seen_error(type), 20 * seen_error(type))},
            .run =
                [=](auto& stream, auto in, auto out) {
                    Epilogue statistics;
                    statistics.mean = out[1], statistics.variance = out[2];
                    gpu::depthwise_fused_forward(stream, s, in[4], prologue_of(in, f), in[5], statistics, out[0]);
                },
            .reference =
                [=](const auto& in) {
                    const Doubles y = reference_forward(s, seen(type, norm_of(in, f), in[4]), in[5]);
                    const Statistics of = statistics_of(s.channels, y);
                    return std::vector<Doubles>{y, of.mean, of.variance};
                }};
}

/// Inference: the norms are folded into weights and bias.
OpCase inference_forward_case(DType type, const Shape& s, Activation f) {
    return {.name = fmt::format("depthwise forward, inference, {} {} {}", name_of(f), name_of(type), text(s)),
            .inputs = {uniform(type, x_size(s), 1), uniform(DType::f32, w_size(s), 2),
                       uniform(DType::f32, std::size_t(s.channels), 3)},
            .results = {Result::of(type, y_size(s), type == DType::f32 ? 2e-6 : 0x1p-8, 8e-6)},
            .run =
                [=](auto& stream, auto in, auto out) {
                    Epilogue folded;
                    folded.bias = in[2], folded.activation = f;
                    gpu::depthwise_fused_forward(stream, s, in[0], {}, in[1], folded, out[0]);
                },
            .reference =
                [=](const auto& in) {
                    Doubles y = reference_forward(s, in[0], in[1]);
                    for (std::size_t i = 0; i < y.size(); ++i)
                        y[i] = activation_reference(f, y[i] + in[2][i % in[2].size()]);
                    return std::vector<Doubles>{y};
                }};
}

OpCase fused_backward_data_case(DType type, const Shape& s, Activation f) {
    std::vector<Values> inputs = norm_inputs(s.channels);
    inputs.push_back(uniform(type, y_size(s), 1));
    inputs.push_back(uniform(DType::f32, w_size(s), 2));
    inputs.push_back(uniform(type, x_size(s), 3, -2, 3));
    const auto channels = std::size_t(s.channels);
    const double pixels = double(s.batch) * s.height * s.width;
    const Result sum = Result::of(DType::f32, channels, 4e-6, 1e-5 * (1 + std::sqrt(pixels)));
    return {.name = fmt::format("depthwise backward data behind {} {} {}", name_of(f), name_of(type), text(s)),
            .inputs = inputs,
            .results = {Result::of(type, x_size(s), type == DType::f32 ? 4e-6 : 0x1p-8, 1e-5), sum, sum},
            .run =
                [=](auto& stream, auto in, auto out) {
                    gpu::depthwise_fused_backward_data(stream, s, in[4], in[5], in[6], prologue_of(in, f), out[0],
                                                       out[1], out[2]);
                },
            .reference =
                [=](const auto& in) {
                    const FusedGradient g = reference_fused_backward_data(s, in[4], in[5], in[6], norm_of(in, f));
                    return std::vector<Doubles>{g.dz, g.sum_dz, g.sum_dz_xhat};
                }};
}

OpCase fused_backward_weights_case(DType type, const Shape& s, Activation f) {
    std::vector<Values> inputs = norm_inputs(s.channels);
    inputs.push_back(uniform(type, x_size(s), 1, -2, 3));
    inputs.push_back(uniform(type, y_size(s), 2));
    return {.name = fmt::format("depthwise backward weights behind {} {} {}", name_of(f), name_of(type), text(s)),
            .inputs = inputs,
            .results = {weight_sums(Numbers::real, s, type == DType::f32 ? 4e-6 : 2e-3)},
            .run =
                [=](auto& stream, auto in, auto out) {
                    gpu::depthwise_fused_backward_weights(stream, s, in[4], prologue_of(in, f), in[5], out[0]);
                },
            .reference =
                [=](const auto& in) {
                    return std::vector<Doubles>{
                        reference_backward_weights(s, seen(type, norm_of(in, f), in[4]), in[5], Doubles(w_size(s)))};
                }};
}

constexpr DType types[] = {DType::f32, DType::bf16};

}  // namespace

TEST_CASE("depthwise convolution: exact on small integers, at every kind of tail") {
    for (const DType type : types)
        for (const Shape& s : shapes) {
            check(forward_case(Numbers::integers, type, s));
            check(backward_data_case(Numbers::integers, type, s));
            check(backward_weights_case(Numbers::integers, type, s));
        }
}

TEST_CASE("depthwise convolution: real numbers") {
    for (const DType type : types)
        for (const std::size_t at : {4, 7, 10, 15}) {
            check(forward_case(Numbers::real, type, shapes[at]));
            check(backward_data_case(Numbers::real, type, shapes[at]));
            check(backward_weights_case(Numbers::real, type, shapes[at]));
        }
}

TEST_CASE("depthwise convolution: the first rung of the ladder agrees") {
    for (const DType type : types)
        for (const std::size_t at : {3, 4, 13})
            check(forward_case(Numbers::integers, type, shapes[at], gpu::depthwise_conv_forward_v1));
}

TEST_CASE("depthwise convolution fused with the batch norms around it") {
    for (const DType type : types)
        for (const Shape& s : shapes) {
            check(training_forward_case(type, s, Activation::silu));
            check(fused_backward_data_case(type, s, Activation::silu));
            check(fused_backward_weights_case(type, s, Activation::silu));
        }
}

TEST_CASE("depthwise convolution: every activation, before and behind") {
    for (const Activation f : {Activation::none, Activation::relu, Activation::silu, Activation::sigmoid})
        for (const DType type : types) {
            check(inference_forward_case(type, shapes[4], f));
            check(training_forward_case(type, shapes[4], f));
            check(fused_backward_data_case(type, shapes[10], f));
            check(fused_backward_weights_case(type, shapes[7], f));
        }
}

TEST_CASE("depthwise convolution refuses what it does not take") {
    kernels::CudaStream stream;
    float value = 0;
    const Shape s{1, 4, 4, 1, 3, 1, {1, 1, 1, 1}};
    const auto forward = [&](const Shape& shape, const Prologue& prologue, const Epilogue& epilogue) {
        gpu::depthwise_fused_forward(stream, shape, &value, prologue, &value, epilogue, &value);
    };
    CHECK_THROWS_WITH_AS(forward({1, 9, 9, 1, 7, 1, {}}, {}, {}), "[depthwise_conv] expected kernel 3 or 5, got 7",
                         Error);
    Prologue gated, unnormalised;
    gated.gate = &value;
    unnormalised.activation = Activation::silu;
    Epilogue residual, half;
    residual.residual = &value;
    half.mean = &value;
    CHECK_THROWS_WITH_AS(forward(s, gated, {}), "[depthwise_fused_forward] expected a prologue without a gate, got one",
                         Error);
    CHECK_THROWS_WITH_AS(forward(s, {}, residual),
                         "[depthwise_fused_forward] expected an epilogue without a residual, got one", Error);
    CHECK_THROWS_AS(forward(s, {}, half), Error);
    CHECK_THROWS_AS(forward(s, unnormalised, {}), Error);
    CHECK_THROWS_AS(gpu::depthwise_fused_backward_data(stream, s, &value, &value, &value, {}, &value, &value, &value),
                    Error);
    std::int32_t integer = 0;
    CHECK_THROWS_WITH_AS(gpu::depthwise_conv_forward(stream, s, &integer, &value, &integer),
                         "[depthwise_conv_forward] expected f32 or bf16 elements, got i32", Error);
}

KARYON_NETWORK_CASES(depthwise_conv) {
    // EfficientNet-B4 at 256 x 256; fewer images where they are large.
    const Shape network[] = {
        {2, 128, 128, 48, 3, 1, {1, 1, 1, 1}},  {2, 128, 128, 24, 3, 1, {1, 1, 1, 1}},
        {2, 128, 128, 144, 3, 2, {0, 0, 1, 1}}, {4, 64, 64, 192, 3, 1, {1, 1, 1, 1}},
        {4, 64, 64, 192, 5, 2, {1, 1, 2, 2}},   {8, 32, 32, 336, 5, 1, {2, 2, 2, 2}},
        {8, 32, 32, 336, 3, 2, {0, 0, 1, 1}},   {8, 16, 16, 672, 3, 1, {1, 1, 1, 1}},
        {8, 16, 16, 960, 5, 1, {2, 2, 2, 2}},   {8, 16, 16, 960, 5, 2, {1, 1, 2, 2}},
        {8, 8, 8, 1632, 5, 1, {2, 2, 2, 2}},    {8, 8, 8, 2688, 3, 1, {1, 1, 1, 1}},
    };
    std::vector<NetworkCase> cases;
    const auto add = [&](const char* op, DType type, const Shape& s, kernels::Cost cost, auto make) {
        cases.push_back({fmt::format("depthwise {} {} {}x{}x{}x{} k{} s{}", op, name_of(type), s.batch, s.height,
                                     s.width, s.channels, s.kernel, s.stride),
                         cost, make});
    };
    // Batch norm and activation are computed again in the halo of a tile, which no cost() counts.
    const auto bytes_only = [](kernels::Cost cost) { return kernels::Cost{cost.bytes, 0}; };
    for (const Shape& s : network) {
        const DType type = DType::bf16;
        add("forward, training,", type, s, bytes_only(cost(s, type)),
            [=] { return training_forward_case(type, s, Activation::silu); });
        add("backward data behind silu", type, s, bytes_only(kernels::depthwise_fused_backward_data_cost(s, type)),
            [=] { return fused_backward_data_case(type, s, Activation::silu); });
        add("backward weights behind silu", type, s, bytes_only(kernels::depthwise_backward_weights_cost(s, type)),
            [=] { return fused_backward_weights_case(type, s, Activation::silu); });
    }
    for (const std::size_t at : {3, 4, 5, 6}) {
        const Shape& s = network[at];
        const DType type = DType::f32;
        add("forward", type, s, cost(s, type), [=] { return forward_case(Numbers::real, type, s); });
        add("backward data", type, s, cost(s, type), [=] { return backward_data_case(Numbers::real, type, s); });
        add("backward weights", type, s, kernels::depthwise_backward_weights_cost(s, type),
            [=] { return backward_weights_case(Numbers::real, type, s); });
        add("forward v1", type, s, cost(s, type),
            [=] { return forward_case(Numbers::real, type, s, gpu::depthwise_conv_forward_v1); });
    }
    const Shape& s = network[5];
    add("forward v1", DType::bf16, s, cost(s, DType::bf16),
        [=] { return forward_case(Numbers::real, DType::bf16, s, gpu::depthwise_conv_forward_v1); });
    add("forward, inference,", DType::bf16, s, bytes_only(cost(s, DType::bf16)),
        [=] { return inference_forward_case(DType::bf16, s, Activation::silu); });
    return cases;
}
