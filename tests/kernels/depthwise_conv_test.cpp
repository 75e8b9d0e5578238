#include "kernels/conv/depthwise_conv.h"

#include <omp.h>

#include "tests/kernels/depthwise_conv_reference.h"

using namespace karyon;
using namespace karyon::kernels;
using namespace karyon::test;
using namespace karyon::test::depthwise;

namespace {

struct Results {
    Guarded y, dx, dw;
};

Results run(const Shape& s, std::span<const float> x, std::span<const float> w, std::span<const float> dy,
            std::span<const float> dw) {
    Results results{Guarded(y_size(s)), Guarded(x_size(s)), Guarded(dw)};
    const Guarded x_in(x), w_in(w), dy_in(dy);
    Stream stream;
    cpu::depthwise_conv_forward(stream, s, x_in.data(), w_in.data(), results.y.data());
    cpu::depthwise_conv_backward_data(stream, s, dy_in.data(), w_in.data(), results.dx.data());
    cpu::depthwise_conv_backward_weights(stream, s, x_in.data(), dy_in.data(), results.dw.data());
    for (const Guarded* buffer : {&results.y, &results.dx, &results.dw}) CHECK(buffer->intact());
    return results;
}

Shape shape(int batch, int height, int width, int channels, int kernel, int stride, Padding pad) {
    return {batch, height, width, channels, kernel, stride, pad};
}

std::vector<Shape> shapes() {
    std::vector<Shape> list = {
        shape(1, 1, 1, 1, 3, 1, {1, 1, 1, 1}),    shape(1, 1, 1, 7, 5, 1, {2, 2, 2, 2}),
        shape(2, 1, 1, 16, 5, 2, {2, 2, 2, 2}),   shape(1, 2, 3, 5, 5, 2, {2, 2, 2, 2}),
        shape(1, 3, 1, 17, 3, 1, {1, 1, 1, 1}),   shape(2, 3, 3, 4, 3, 1, {0, 0, 0, 0}),
        shape(1, 5, 9, 24, 5, 1, {0, 0, 0, 0}),   shape(1, 6, 7, 33, 3, 2, {0, 0, 1, 1}),
        shape(1, 6, 7, 33, 5, 2, {1, 1, 2, 2}),   shape(1, 4, 4, 3, 5, 1, {4, 0, 1, 3}),
        shape(1, 4, 5, 20, 3, 2, {2, 3, 0, 1}),   shape(1, 3, 4, 19, 3, 1, {5, 6, 4, 3}),
        shape(1, 40, 70, 68, 3, 1, {1, 1, 1, 1}), shape(1, 3, 1100, 2, 5, 2, {2, 2, 2, 2}),
        shape(3, 8, 8, 80, 5, 1, {2, 2, 2, 2}),   shape(2, 33, 35, 130, 5, 2, {1, 1, 2, 2}),
    };
    Random random(7);
    for (int i = 0; i < 60; ++i) {
        Shape s = shape(random.integer(1, 3), random.integer(1, 13), random.integer(1, 13), random.integer(1, 70),
                        random.integer(0, 1) ? 3 : 5, random.integer(1, 2), {});
        if (i % 3 == 0)
            s.pad = Padding::same(s.height, s.width, s.kernel, s.stride);
        else if (i % 3 == 1)
            s.pad = Padding::symmetric(s.kernel);
        else
            s.pad = {random.integer(0, 6), random.integer(0, 6), random.integer(4, 6), random.integer(4, 6)};
        list.push_back(s);
    }
    return list;
}

}  // namespace

TEST_CASE("depthwise convolution equals the definition, exactly, on small integers") {
    for (const Shape& s : shapes()) {
        CAPTURE(text(s));
        const auto x = integer_values(x_size(s), 1), w = integer_values(w_size(s), 2),
                   dy = integer_values(y_size(s), 3);
        const auto dw = integer_values(w_size(s), 4);
        const Results got = run(s, x, w, dy, dw);
        check_close(got.y, reference_forward(s, to_double(x), to_double(w)), 0, 0);
        check_close(got.dx, reference_backward_data(s, to_double(dy), to_double(w)), 0, 0);
        check_close(got.dw, reference_backward_weights(s, to_double(x), to_double(dy), to_double(dw)), 0, 0);
    }
}

TEST_CASE("depthwise convolution is within fp32 rounding of the definition") {
    for (const Shape& s : shapes()) {
        CAPTURE(text(s));
        const auto x = random_values(x_size(s), 1), w = random_values(w_size(s), 2), dy = random_values(y_size(s), 3);
        const Results got = run(s, x, w, dy, std::vector<float>(w_size(s)));
        check_close(got.y, reference_forward(s, to_double(x), to_double(w)), 1e-6, 2e-6);
        check_close(got.dx, reference_backward_data(s, to_double(dy), to_double(w)), 1e-6, 2e-6);
        const double longest = double(s.batch) * s.out_height() * s.out_width();
        check_close(got.dw, reference_backward_weights(s, to_double(x), to_double(dy), Doubles(w_size(s))), 1e-6,
                    1e-6 * std::sqrt(longest) + 1e-6);
    }
}

TEST_CASE("depthwise convolution: gradients agree with central differences") {
    for (const Shape& s : {shape(2, 6, 5, 5, 3, 1, Padding::symmetric(3)), shape(1, 7, 8, 4, 5, 2, {1, 1, 2, 2}),
                           shape(2, 4, 4, 18, 5, 1, {2, 2, 2, 2})}) {
        CAPTURE(text(s));
        const auto x = random_values(x_size(s), 1), w = random_values(w_size(s), 2), dy = random_values(y_size(s), 3);
        const Results got = run(s, x, w, dy, std::vector<float>(w_size(s)));
        check_gradient(
            got.dx, [&](const Doubles& at) { return reference_forward(s, at, to_double(w)); }, x, dy);
        check_gradient(
            got.dw, [&](const Doubles& at) { return reference_forward(s, to_double(x), at); }, w, dy);
    }
}

TEST_CASE("depthwise convolution: the same bits again, and with any number of threads") {
    const int threads = omp_get_max_threads();
    for (const Shape& s :
         {shape(3, 37, 41, 150, 5, 1, Padding::symmetric(5)), shape(2, 20, 50, 70, 3, 2, {0, 0, 1, 1})}) {
        CAPTURE(text(s));
        const auto x = random_values(x_size(s), 1), w = random_values(w_size(s), 2), dy = random_values(y_size(s), 3);
        const auto dw = random_values(w_size(s), 4);
        const Results first = run(s, x, w, dy, dw);
        for (const int count : {threads, 1, 2, 3, 5}) {
            omp_set_num_threads(count);
            const Results again = run(s, x, w, dy, dw);
            omp_set_num_threads(threads);
            check_identical(again.y, first.y);
            check_identical(again.dx, first.dx);
            check_identical(again.dw, first.dw);
        }
    }
}

TEST_CASE("depthwise convolution refuses a shape or an element type that it cannot compute") {
    Stream stream;
    std::vector<float> buffer(4096);
    std::vector<bfloat16> half(4096);
    const auto forward = [&](const Shape& s) {
        cpu::depthwise_conv_forward(stream, s, buffer.data(), buffer.data(), buffer.data());
    };
    CHECK_THROWS_WITH_AS(forward(shape(0, 4, 4, 1, 3, 1, {})), "[depthwise_conv] expected a positive batch, got 0",
                         Error);
    CHECK_THROWS_WITH_AS(forward(shape(1, 4, 4, 1, 7, 1, {3, 3, 3, 3})),
                         "[depthwise_conv] expected kernel 3 or 5, got 7", Error);
    CHECK_THROWS_AS(forward(shape(1, 4, 4, 1, 3, 3, {})), Error);
    CHECK_THROWS_AS(forward(shape(1, 4, 4, -2, 3, 1, {})), Error);
    CHECK_THROWS_AS(forward(shape(1, 2, 4, 1, 3, 2, {})), Error);
    CHECK_THROWS_AS(forward(shape(1, 4, 4, 1, 3, 1, {-1, 0, 0, 0})), Error);
    const Shape s = shape(1, 4, 4, 1, 3, 1, {1, 1, 1, 1});
    CHECK_THROWS_WITH_AS(cpu::depthwise_conv_forward(stream, s, half.data(), buffer.data(), buffer.data()),
                         "[kernel] expected bf16 elements, got f32", Error);
}

TEST_CASE("depthwise convolution: cost counts every byte once and every tap of every output") {
    const Cost cost = kernels::cost(shape(2, 4, 6, 8, 3, 2, {1, 1, 1, 1}), DType::bf16);
    CHECK(cost.bytes == 2.0 * 8 * (2 * 4 * 6 + 2 * 2 * 3) + 4.0 * 8 * 9);
    CHECK(cost.flops == 2.0 * 8 * 2 * 2 * 3 * 9);
}

TEST_CASE("depthwise convolution behind a batch norm: the reference agrees with central differences") {
    const Shape s = shape(2, 5, 6, 3, 3, 2, {1, 0, 1, 1});
    const auto x = random_values(x_size(s), 1, -2, 3), w = random_values(w_size(s), 2),
               dy = random_values(y_size(s), 3);
    const auto gamma = random_values(3, 4, -1.5f, 1.5f), beta = random_values(3, 5);
    for (const Activation f : {Activation::none, Activation::relu, Activation::silu, Activation::sigmoid}) {
        CAPTURE(name_of(f));
        const Norm norm{{0.25, -0.5, 1}, {0.5, 1, 2}, to_double(gamma), to_double(beta), 1e-3, f};
        const auto forward = [&](const Doubles& at, const Norm& by) {
            return reference_forward(s, by.applied(at), to_double(w));
        };
        const FusedGradient got = reference_fused_backward_data(s, to_double(dy), to_double(w), to_double(x), norm);
        // With constant statistics dx is dz times the scale of its channel.
        std::vector<float> dx(x.size());
        for (std::size_t i = 0; i < x.size(); ++i)
            dx[i] = float(got.dz[i] * norm.gamma[i % 3] / std::sqrt(norm.variance[i % 3] + norm.eps));
        check_gradient(
            dx, [&](const Doubles& at) { return forward(at, norm); }, x, dy);
        const auto with = [&](Doubles Norm::*parameter) {
            return [&, parameter](const Doubles& at) {
                Norm changed = norm;
                changed.*parameter = at;
                return forward(to_double(x), changed);
            };
        };
        check_gradient(std::vector<float>(got.sum_dz.begin(), got.sum_dz.end()), with(&Norm::beta), beta, dy);
        check_gradient(std::vector<float>(got.sum_dz_xhat.begin(), got.sum_dz_xhat.end()), with(&Norm::gamma), gamma,
                       dy);
    }
}
