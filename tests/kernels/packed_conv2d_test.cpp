#include "kernels/conv/packed_conv2d.h"

#include "kernels/conv/depthwise_conv.h"
#include "kernels/conv/winograd.h"
#include "tests/kernels/activation_reference.h"
#include "tests/kernels/conv2d_reference.h"
#include "tests/kernels/depthwise_conv_reference.h"

using namespace karyon;
using namespace karyon::kernels;
using namespace karyon::test;
using conv2d_reference::Doubles;

namespace {

struct Parts {
    Activation activation = Activation::none;
    bool gate = false, residual = false, scale = true;
};

std::vector<float> run(const cpu::PackedConv2d& convolution, const Conv2dShape& s, const Parts& parts,
                       const std::vector<float>& x, const std::vector<float>& gate,
                       const std::vector<float>& residual) {
    Guarded y(conv2d_reference::y_size(s));
    const Guarded x_in(x), gate_in(gate), residual_in(residual);
    convolution.forward(s, x_in.data(), parts.gate ? In(gate_in.data()) : In(), parts.activation,
                        parts.residual ? In(residual_in.data()) : In(), y.data());
    CHECK(y.intact());
    const auto values = y.values();
    return {values.begin(), values.end()};
}

/// The packed convolution against its definition in double, on shapes that share weights.
void check_packed(std::initializer_list<Conv2dShape> shapes, const Parts& parts) {
    const Conv2dShape& first = *shapes.begin();
    const std::size_t out = std::size_t(first.out_channels), weights = conv2d_reference::w_size(first);
    const auto w = random_values(weights, 1), scale = random_values(out, 2), bias = random_values(out, 3);
    Doubles folded(weights);
    for (std::size_t i = 0; i < weights; ++i) folded[i] = double(w[i]) * (parts.scale ? scale[i / (weights / out)] : 1);
    const cpu::PackedConv2d convolution(first.in_channels, first.out_channels, first.kernel, w.data(),
                                        parts.scale ? In(scale.data()) : In(), bias.data(), DType::f32);
    for (const Conv2dShape& s : shapes) {
        CAPTURE(s.batch);
        CAPTURE(s.height);
        CAPTURE(s.width);
        const std::size_t in = std::size_t(s.in_channels), pixels = std::size_t(s.height) * std::size_t(s.width);
        const auto x = random_values(conv2d_reference::x_size(s), 4),
                   residual = random_values(conv2d_reference::y_size(s), 5);
        const auto gate = random_values(std::size_t(s.batch) * in, 6, 0, 1);
        Doubles gated = to_double(x);
        if (parts.gate)
            for (std::size_t i = 0; i < gated.size(); ++i) gated[i] *= double(gate[i / (pixels * in) * in + i % in]);
        Doubles expected = conv2d_reference::forward(s, gated, folded, to_double(bias));
        for (std::size_t i = 0; i < expected.size(); ++i)
            expected[i] =
                activation_reference(parts.activation, expected[i]) + (parts.residual ? double(residual[i]) : 0);
        const auto got = run(convolution, s, parts, x, gate, residual);
        check_close(got, expected, 1e-5, cpu::winograd_serves(s) ? 5e-6 * std::sqrt(9 * double(in)) : 1e-5);
        check_identical(run(convolution, s, parts, x, gate, residual), got);
    }
}

}  // namespace

TEST_CASE("packed convolution: batch norm, gate, activation and residual, in pieces and whole") {
    const Conv2dShape small{2, 5, 7, 24, 40, 1, 1, {}}, large{3, 37, 41, 24, 40, 1, 1, {}},
        even{1, 96, 128, 24, 40, 1, 1, {}};
    for (const Activation f : {Activation::none, Activation::relu, Activation::silu, Activation::sigmoid})
        check_packed({small, large, even}, {.activation = f});
    check_packed({large, small, large}, {.gate = true});
    check_packed({small, large}, {.gate = true, .residual = true, .scale = false});
    check_packed({small, large}, {.activation = Activation::silu, .residual = true});
}

TEST_CASE("packed convolution: dense kernels, and a gate that only pointwise ones take") {
    for (const Activation f : {Activation::relu, Activation::silu})
        check_packed({{2, 9, 7, 6, 16, 3, 1, {1, 1, 1, 1}}, {1, 8, 8, 6, 16, 3, 2, {0, 0, 1, 1}}},
                     {.activation = f, .residual = true});
    check_packed({{1, 37, 41, 24, 40, 3, 1, {1, 1, 1, 1}}, {1, 5, 6, 24, 40, 3, 1, {1, 1, 1, 1}}},
                 {.activation = Activation::relu, .residual = true});
    const std::vector<float> values(9 * 4);
    const cpu::PackedConv2d convolution(2, 2, 3, values.data(), nullptr, values.data(), DType::f32);
    std::vector<float> y(8);
    CHECK_THROWS_WITH_AS(convolution.forward({1, 2, 2, 2, 2, 3, 1, {1, 1, 1, 1}}, values.data(), values.data(),
                                             Activation::none, nullptr, y.data()),
                         "[conv2d] expected a gate before a pointwise convolution only", Error);
}

TEST_CASE("depthwise convolution with bias and activation is the convolution, then these") {
    for (const auto& [channels, kernel, stride] : {std::array{1, 3, 1}, {20, 5, 1}, {67, 3, 2}, {130, 5, 2}})
        for (const Activation f : {Activation::none, Activation::relu, Activation::silu}) {
            const DepthwiseConvShape s{2, 9, 11, channels, kernel, stride, Padding::same(9, 11, kernel, stride)};
            const auto x = random_values(depthwise::x_size(s), 1), w = random_values(depthwise::w_size(s), 2);
            const auto bias = random_values(std::size_t(channels), 3);
            Guarded y(depthwise::y_size(s));
            Stream stream;
            cpu::depthwise_conv_activated(stream, s, x.data(), w.data(), bias.data(), f, y.data());
            Doubles expected = depthwise::reference_forward(s, to_double(x), to_double(w));
            for (std::size_t i = 0; i < expected.size(); ++i)
                expected[i] = activation_reference(f, expected[i] + double(bias[i % bias.size()]));
            CHECK(y.intact());
            check_close(y, expected, 1e-6, 4e-6);
        }
}
