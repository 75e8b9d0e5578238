#include "kernels/conv/conv2d.h"

#include <omp.h>

#include <thread>

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

struct Inputs {
    std::vector<float> x, w, bias, dy, dw, dbias;

    template <typename Fill>
    Inputs(const Shape& s, const Fill& fill)
        : x(fill(x_size(s), 1)),
          w(fill(w_size(s), 2)),
          bias(fill(s.out_channels, 3)),
          dy(fill(y_size(s), 4)),
          dw(fill(w_size(s), 5)),
          dbias(fill(s.out_channels, 6)) {}
};

Inputs integers(const Shape& s) {
    return {s, [](std::size_t count, int seed) { return integer_values(count, seed, -3, 3); }};
}
Inputs reals(const Shape& s) {
    return {s, [](std::size_t count, int seed) { return random_values(count, seed); }};
}

struct Results {
    Guarded y, plain_y, dx, dw, dbias;  ///< plain_y: without bias
};

Results run(const Shape& s, const Inputs& in) {
    Results results{Guarded(y_size(s)), Guarded(y_size(s)), Guarded(x_size(s)), Guarded(in.dw), Guarded(in.dbias)};
    const Guarded x(in.x), w(in.w), bias(in.bias), dy(in.dy);
    Stream stream;
    cpu::conv2d_forward(stream, s, x.data(), w.data(), bias.data(), results.y.data());
    cpu::conv2d_forward(stream, s, x.data(), w.data(), nullptr, results.plain_y.data());
    cpu::conv2d_backward_data(stream, s, dy.data(), w.data(), results.dx.data());
    cpu::conv2d_backward_weights(stream, s, x.data(), dy.data(), results.dw.data(), results.dbias.data());
    for (const Guarded* buffer : {&results.y, &results.plain_y, &results.dx, &results.dw, &results.dbias})
        CHECK(buffer->intact());
    return results;
}

Shape shape(int batch, int height, int width, int in, int out, int kernel, int stride, Padding pad) {
    return {batch, height, width, in, out, kernel, stride, pad};
}

std::vector<Shape> shapes() {
    std::vector<Shape> list = {
        shape(1, 1, 1, 1, 1, 1, 1, {}),
        shape(1, 1, 1, 40, 12, 1, 1, {}),
        shape(2, 1, 1, 3, 5, 3, 1, {1, 1, 1, 1}),
        shape(1, 1, 1, 2, 3, 7, 2, {3, 3, 3, 3}),
        shape(1, 2, 3, 4, 1, 5, 1, {2, 2, 2, 2}),
        shape(2, 16, 16, 3, 48, 3, 2, {0, 0, 1, 1}),
        shape(1, 15, 14, 6, 24, 3, 2, {1, 1, 1, 1}),
        shape(1, 12, 10, 16, 1, 3, 1, {1, 1, 1, 1}),
        shape(2, 9, 9, 32, 1, 1, 1, {}),
        shape(1, 8, 8, 48, 32, 3, 1, {1, 1, 1, 1}),
        shape(2, 7, 5, 24, 144, 1, 1, {}),
        shape(1, 9, 7, 17, 31, 1, 2, {}),
        shape(1, 11, 13, 8, 16, 7, 1, {3, 3, 3, 3}),
        shape(1, 6, 5, 19, 9, 5, 2, {1, 1, 2, 2}),
        shape(1, 5, 5, 3, 2, 3, 1, {2, 0, 1, 3}),
        shape(2, 11, 37, 32, 1, 3, 1, {1, 1, 1, 1}),
        shape(1, 9, 40, 48, 1, 5, 2, {1, 1, 2, 2}),
        shape(2, 1, 1, 16, 1, 3, 1, {1, 1, 1, 1}),
        shape(1, 20, 21, 16, 1, 3, 2, {0, 0, 0, 0}),
        shape(1, 3, 12, 16, 1, 5, 1, {4, 3, 2, 6}),
    };
    Random random(11);
    for (int i = 0; i < 30; ++i) {
        Shape s = shape(random.integer(1, 3), random.integer(1, 9), random.integer(1, 9), random.integer(1, 36),
                        random.integer(1, 36), 2 * random.integer(0, 3) + 1, random.integer(1, 2), {});
        s.pad = i % 2 ? Padding::same(s.height, s.width, s.kernel, s.stride) : Padding::symmetric(s.kernel);
        list.push_back(s);
    }
    return list;
}

std::string text(const Shape& s) {
    return fmt::format("batch {} height {} width {} in {} out {} kernel {} stride {} pad {} {} {} {}", s.batch,
                       s.height, s.width, s.in_channels, s.out_channels, s.kernel, s.stride, s.pad.top, s.pad.left,
                       s.pad.bottom, s.pad.right);
}

}  // namespace

TEST_CASE("conv2d equals the definition, exactly, on small integers") {
    for (const Shape& s : shapes()) {
        CAPTURE(text(s));
        const Inputs in = integers(s);
        const Results got = run(s, in);
        const Doubles x = to_double(in.x), w = to_double(in.w), dy = to_double(in.dy);
        check_close(got.y, conv2d_reference::forward(s, x, w, to_double(in.bias)), 0, 0);
        check_close(got.plain_y, conv2d_reference::forward(s, x, w, {}), 0, 0);
        check_close(got.dx, conv2d_reference::backward_data(s, dy, w), 0, 0);
        check_close(got.dw, conv2d_reference::backward_weights(s, x, dy, to_double(in.dw)), 0, 0);
        check_close(got.dbias, conv2d_reference::backward_bias(dy, to_double(in.dbias)), 0, 0);
    }
}

TEST_CASE("conv2d is within fp32 rounding of the definition") {
    for (const Shape& s : shapes()) {
        CAPTURE(text(s));
        const Inputs in = reals(s);
        const Results got = run(s, in);
        const Doubles x = to_double(in.x), w = to_double(in.w), dy = to_double(in.dy);
        const auto rounding = [](double length) { return 1e-6 * (1 + std::sqrt(length)); };
        const double taps = double(s.kernel) * s.kernel, pixels = double(s.batch) * s.out_height() * s.out_width();
        check_close(got.y, conv2d_reference::forward(s, x, w, to_double(in.bias)), 1e-6,
                    rounding(taps * s.in_channels));
        check_close(got.dx, conv2d_reference::backward_data(s, dy, w), 1e-6, rounding(taps * s.out_channels));
        check_close(got.dw, conv2d_reference::backward_weights(s, x, dy, to_double(in.dw)), 1e-6, rounding(pixels));
        check_close(got.dbias, conv2d_reference::backward_bias(dy, to_double(in.dbias)), 1e-6, rounding(pixels));
    }
}

TEST_CASE("conv2d: gradients agree with central differences") {
    for (const Shape& s : {shape(2, 6, 5, 3, 4, 3, 1, Padding::symmetric(3)), shape(1, 7, 8, 5, 3, 5, 2, {1, 1, 2, 2}),
                           shape(2, 4, 4, 6, 7, 1, 1, {})}) {
        CAPTURE(text(s));
        Inputs in = reals(s);
        std::fill(in.dw.begin(), in.dw.end(), 0.0f);
        std::fill(in.dbias.begin(), in.dbias.end(), 0.0f);
        const Results got = run(s, in);
        const Doubles x = to_double(in.x), w = to_double(in.w), bias = to_double(in.bias);
        const auto of_x = [&](const Doubles& at) { return conv2d_reference::forward(s, at, w, bias); };
        const auto of_w = [&](const Doubles& at) { return conv2d_reference::forward(s, x, at, bias); };
        const auto of_bias = [&](const Doubles& at) { return conv2d_reference::forward(s, x, w, at); };
        check_gradient(got.dx, of_x, in.x, in.dy);
        check_gradient(got.dw, of_w, in.w, in.dy);
        check_gradient(got.dbias, of_bias, in.bias, in.dy);
    }
}

TEST_CASE("conv2d: the same bits again") {
    for (const Shape& s : {shape(2, 33, 29, 24, 40, 3, 1, Padding::symmetric(3)), shape(3, 8, 8, 130, 70, 1, 1, {}),
                           shape(3, 30, 41, 32, 1, 3, 1, Padding::symmetric(3))}) {
        CAPTURE(text(s));
        const Inputs in = reals(s);
        const Results first = run(s, in), again = run(s, in);
        check_identical(again.y, first.y);
        check_identical(again.dx, first.dx);
        check_identical(again.dw, first.dw);
        check_identical(again.dbias, first.dbias);
    }
}

TEST_CASE("conv2d to one channel: the same bits with any number of threads") {
    const Shape s = shape(3, 30, 41, 32, 1, 3, 1, Padding::symmetric(3));
    const Inputs in = reals(s);
    const Results first = run(s, in);
    const int threads = omp_get_max_threads();
    for (const int count : {1, 2, 3, 5}) {
        omp_set_num_threads(count);
        const Results again = run(s, in);
        omp_set_num_threads(threads);
        check_identical(again.y, first.y);
        check_identical(again.dw, first.dw);
        check_identical(again.dbias, first.dbias);
    }
}

TEST_CASE("conv2d: the gradient of a bias over many pixels is exact, and one of null is left out") {
    const Shape s = shape(2, 40, 41, 2, 3, 1, 1, {});
    const Inputs in = integers(s);
    const Results got = run(s, in);
    check_close(got.dbias, conv2d_reference::backward_bias(to_double(in.dy), to_double(in.dbias)), 0, 0);
    Guarded dw(in.dw);
    Stream stream;
    cpu::conv2d_backward_weights(stream, s, in.x.data(), in.dy.data(), dw.data(), nullptr);
    check_identical(dw, got.dw);
}

TEST_CASE("conv2d may be called from several threads") {
    const Shape s = shape(1, 9, 9, 20, 12, 3, 1, Padding::symmetric(3));
    const Inputs in = integers(s);
    const Results expected = run(s, in);
    std::vector<Guarded> outputs(4, Guarded(y_size(s)));
    std::vector<std::thread> threads;
    for (Guarded& y : outputs)
        threads.emplace_back([&] {
            Stream stream;
            cpu::conv2d_forward(stream, s, in.x.data(), in.w.data(), in.bias.data(), y.data());
        });
    for (std::thread& thread : threads) thread.join();
    for (const Guarded& y : outputs) check_identical(y, expected.y);
}

TEST_CASE("conv2d refuses a shape or an element type that it cannot compute") {
    Stream stream;
    std::vector<float> buffer(4096);
    std::vector<bfloat16> half(4096);
    const auto forward = [&](const Shape& s) {
        cpu::conv2d_forward(stream, s, buffer.data(), buffer.data(), nullptr, buffer.data());
    };
    CHECK_THROWS_WITH_AS(forward(shape(1, 4, 4, 0, 1, 3, 1, {})), "[conv2d] expected a positive in_channels, got 0",
                         Error);
    CHECK_THROWS_WITH_AS(forward(shape(1, 2, 4, 1, 1, 3, 2, {})),
                         "[conv2d] expected height and width with padding of at least the kernel's 3, got 2 x 4",
                         Error);
    CHECK_THROWS_AS(forward(shape(1, 4, 4, 1, -1, 3, 1, {})), Error);
    CHECK_THROWS_AS(forward(shape(1, 4, 4, 1, 1, 3, 0, {})), Error);
    CHECK_THROWS_AS(forward(shape(1, 4, 4, 1, 1, 3, 1, {0, 0, -1, 0})), Error);
    const Shape s = shape(1, 4, 4, 1, 1, 3, 1, {1, 1, 1, 1});
    CHECK_THROWS_WITH_AS(cpu::conv2d_forward(stream, s, half.data(), buffer.data(), nullptr, buffer.data()),
                         "[kernel] expected bf16 elements, got f32", Error);
}

TEST_CASE("conv2d: cost counts every byte once and every tap of every output") {
    const Cost cost = kernels::cost(shape(2, 4, 6, 8, 5, 3, 2, {1, 1, 1, 1}), DType::f32);
    CHECK(cost.bytes == 4.0 * (2 * 4 * 6 * 8 + 5 * 9 * 8 + 2 * 2 * 3 * 5));
    CHECK(cost.flops == 2.0 * 2 * 2 * 3 * 5 * 9 * 8);
}
