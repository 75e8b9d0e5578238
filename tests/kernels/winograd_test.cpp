#include "kernels/conv/winograd.h"

#include <omp.h>

#include "tests/kernels/conv2d_reference.h"

using namespace karyon;
using namespace karyon::kernels;
using namespace karyon::test;
using conv2d_reference::w_size;
using conv2d_reference::x_size;
using conv2d_reference::y_size;

namespace {

using Shape = Conv2dShape;
using Doubles = std::vector<double>;

struct Results {
    Guarded y, dx, dw;
};

struct Inputs {
    std::vector<float> x, w, bias, dy, dw;

    explicit Inputs(const Shape& s)
        : x(random_values(x_size(s), 1)),
          w(random_values(w_size(s), 2)),
          bias(random_values(std::size_t(s.out_channels), 3)),
          dy(random_values(y_size(s), 4)),
          dw(random_values(w_size(s), 5)) {}
};

/// Transformed weights on the boundary that they need.
struct Transformed {
    std::vector<float> memory;
    float* at;

    template <typename T>
    Transformed(const Shape& s, const T* w, bool backward)
        : memory(cpu::winograd_weight_count(s.in_channels, s.out_channels) + 16),
          at(reinterpret_cast<float*>((reinterpret_cast<std::uintptr_t>(memory.data()) + 63) / 64 * 64)) {
        cpu::winograd_transform_weights(s, w, backward, at);
    }
};

Results run(const Shape& s, const Inputs& in, Activation f = Activation::none) {
    Results results{Guarded(y_size(s)), Guarded(x_size(s)), Guarded(in.dw)};
    const Guarded x(in.x), w(in.w), bias(in.bias), dy(in.dy);
    const Shape back = cpu::winograd_backward_shape(s);
    cpu::winograd_forward(s, x.data(), Transformed(s, w.data(), false).at, bias.data(), f, results.y.data());
    cpu::winograd_forward(back, dy.data(), Transformed(back, w.data(), true).at, nullptr, Activation::none,
                          results.dx.data());
    cpu::winograd_backward_weights(s, x.data(), dy.data(), results.dw.data());
    for (const Guarded* buffer : {&results.y, &results.dx, &results.dw}) CHECK(buffer->intact());
    return results;
}

Shape shape(int batch, int height, int width, int in, int out, Padding pad = Padding::symmetric(3)) {
    return {batch, height, width, in, out, 3, 1, pad};
}

/// Odd sizes, maps smaller than a tile, channels that fill no vector, one panel and several, few tiles and many.
std::vector<Shape> shapes() {
    std::vector<Shape> list = {shape(1, 1, 1, 1, 1),
                               shape(1, 2, 3, 16, 16),
                               shape(1, 4, 4, 17, 33),
                               shape(2, 5, 9, 40, 24),
                               shape(1, 8, 8, 312, 128),
                               shape(1, 37, 3, 3, 5),
                               shape(2, 33, 65, 16, 16),
                               shape(1, 64, 63, 32, 16),
                               shape(8, 7, 7, 20, 70),
                               shape(1, 6, 6, 8, 8, {}),
                               shape(1, 9, 5, 8, 8, {2, 2, 2, 2}),
                               shape(1, 9, 5, 8, 20, {2, 0, 1, 0}),
                               shape(3, 32, 32, 48, 40)};
    Random random(5);
    for (int i = 0; i < 20; ++i)
        list.push_back(shape(random.integer(1, 3), random.integer(3, 20), random.integer(3, 20), random.integer(1, 70),
                             random.integer(1, 70),
                             {random.integer(0, 2), random.integer(0, 2), random.integer(0, 2), random.integer(0, 2)}));
    return list;
}

std::string text(const Shape& s) {
    return fmt::format("batch {} height {} width {} in {} out {} pad {} {} {} {}", s.batch, s.height, s.width,
                       s.in_channels, s.out_channels, s.pad.top, s.pad.left, s.pad.bottom, s.pad.right);
}

double allowed(double length) { return 5e-6 * std::sqrt(length); }

}  // namespace

TEST_CASE("winograd: the three convolutions agree with the definition") {
    for (const Shape& s : shapes()) {
        CAPTURE(text(s));
        const Inputs in(s);
        const Results got = run(s, in);
        const Doubles x = to_double(in.x), w = to_double(in.w), dy = to_double(in.dy);
        check_close(got.y, conv2d_reference::forward(s, x, w, to_double(in.bias)), 1e-6, allowed(9 * s.in_channels));
        check_close(got.dx, conv2d_reference::backward_data(s, dy, w), 1e-6, allowed(9 * s.out_channels));
        check_close(got.dw, conv2d_reference::backward_weights(s, x, dy, to_double(in.dw)), 1e-6,
                    allowed(double(s.batch) * s.out_height() * s.out_width()));
    }
}

TEST_CASE("winograd: gradients agree with central differences") {
    const Shape s = shape(2, 6, 5, 3, 4);
    Inputs in(s);
    std::fill(in.dw.begin(), in.dw.end(), 0.0f);
    const Results got = run(s, in);
    const Doubles x = to_double(in.x), w = to_double(in.w), bias = to_double(in.bias);
    check_gradient(
        got.dx, [&](const Doubles& at) { return conv2d_reference::forward(s, at, w, bias); }, in.x, in.dy);
    check_gradient(
        got.dw, [&](const Doubles& at) { return conv2d_reference::forward(s, x, at, bias); }, in.w, in.dy);
}

TEST_CASE("winograd: the activation comes last") {
    const Shape s = shape(1, 9, 6, 20, 37);
    const Inputs in(s);
    const Guarded plain = run(s, in).y, relu = run(s, in, Activation::relu).y;
    for (std::size_t i = 0; i < plain.size(); ++i) REQUIRE(relu.data()[i] == std::max(0.0f, plain.data()[i]));
}

TEST_CASE("winograd: bf16 gives what the same numbers give as f32, rounded once") {
    for (const Shape& s : {shape(2, 9, 6, 20, 37), shape(2, 33, 40, 48, 80)}) {
        Inputs in(s);
        const auto x = rounded(in.x), w = rounded(in.w), dy = rounded(in.dy);
        in.x = widened(x), in.w = widened(w), in.dy = widened(dy);
        const Results expected = run(s, in, Activation::silu);

        const Shape back = cpu::winograd_backward_shape(s);
        std::vector<bfloat16> y(y_size(s)), dx(x_size(s));
        std::vector<float> dw = in.dw;
        cpu::winograd_forward(s, x.data(), Transformed(s, w.data(), false).at, in.bias.data(), Activation::silu,
                              y.data());
        cpu::winograd_forward(back, dy.data(), Transformed(back, w.data(), true).at, nullptr, Activation::none,
                              dx.data());
        cpu::winograd_backward_weights(s, x.data(), dy.data(), dw.data());
        check_identical(widened(y), widened(rounded(expected.y)));
        check_identical(widened(dx), widened(rounded(expected.dx)));
        check_identical(dw, expected.dw);
    }
}

TEST_CASE("winograd: the same bits with one thread and with three") {
    for (const Shape& s : {shape(2, 33, 40, 48, 40), shape(1, 8, 8, 40, 100)}) {
        const Inputs in(s);
        const int threads = omp_get_max_threads();
        omp_set_num_threads(1);
        const Results one = run(s, in);
        omp_set_num_threads(3);
        const Results three = run(s, in);
        omp_set_num_threads(threads);
        check_identical(one.y, three.y);
        check_identical(one.dx, three.dx);
        check_identical(one.dw, three.dw);
    }
}

TEST_CASE("winograd: in bf16 it takes more channels") {
    const auto serves = [](int in, int out) {
        return cpu::winograd_serves_forward(shape(1, 32, 33, in, out), DType::bf16);
    };
    CHECK_FALSE(serves(32, 32));
    CHECK_FALSE(serves(16, 512));
    if (!serves(64, 64)) return;  // a processor without AVX-512, or with AMX
    CHECK(serves(112, 32));
    const Shape s = shape(1, 32, 33, 64, 32);
    const Inputs in(s);
    const auto x = rounded(in.x), w = rounded(in.w);
    std::vector<bfloat16> expected(y_size(s)), got(y_size(s));
    cpu::winograd_forward(s, x.data(), Transformed(s, w.data(), false).at, in.bias.data(), Activation::none,
                          expected.data());
    Stream stream;
    cpu::conv2d_forward(stream, s, x.data(), w.data(), in.bias.data(), got.data());
    check_identical(widened(got), widened(expected));
}

TEST_CASE("winograd: dense convolutions of that kind, and no others, are made this way") {
    const Shape s = shape(1, 32, 33, 16, 20);
    if (!cpu::winograd_serves(s)) return;  // a processor without AVX-512
    for (const auto change : {0, 1, 2, 3, 4}) {
        Shape other = s;
        if (change == 0) other.kernel = 5;
        if (change == 1) other.stride = 2;
        if (change == 2) other.in_channels = 15;
        if (change == 3) other.height = 31;
        if (change == 4) other.pad.left = 3;
        CHECK_FALSE(cpu::winograd_serves(other));
    }
    const Inputs in(s);
    const Results expected = run(s, in);
    Results got{Guarded(y_size(s)), Guarded(x_size(s)), Guarded(in.dw)};
    Stream stream;
    cpu::conv2d_forward(stream, s, in.x.data(), in.w.data(), in.bias.data(), got.y.data());
    cpu::conv2d_backward_data(stream, s, in.dy.data(), in.w.data(), got.dx.data());
    cpu::conv2d_backward_weights(stream, s, in.x.data(), in.dy.data(), got.dw.data(), nullptr);
    check_identical(got.y, expected.y);
    check_identical(got.dx, expected.dx);
    check_identical(got.dw, expected.dw);
}
