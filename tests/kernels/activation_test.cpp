#include "kernels/elementwise/activation.h"

#include "tests/kernels/activation_reference.h"
#include "tests/kernels/deterministic.h"

using namespace karyon;
using namespace karyon::kernels;
using namespace karyon::test;

namespace {

constexpr Activation all_activations[] = {Activation::none, Activation::relu, Activation::silu, Activation::sigmoid};
constexpr std::size_t sizes[] = {1, 7, 33, 16384, 16384 * 2 + 13};

Guarded forward(Activation f, std::span<const float> x) {
    Stream stream;
    const Guarded from(x);
    Guarded y(x.size());
    cpu::activation_forward(stream, f, static_cast<std::int64_t>(x.size()), from.data(), y.data());
    CHECK(y.intact());
    return y;
}

Guarded backward(Activation f, std::span<const float> x, std::span<const float> dy) {
    Stream stream;
    const Guarded from(x), gradient(dy);
    Guarded dx(x.size());
    cpu::activation_backward(stream, f, static_cast<std::int64_t>(x.size()), from.data(), gradient.data(), dx.data());
    CHECK(dx.intact());
    return dx;
}

}  // namespace

TEST_CASE("activations agree with double precision and their gradients with differences") {
    for (const Activation f : all_activations)
        for (const std::size_t size : sizes) {
            CAPTURE(name_of(f));
            CAPTURE(size);
            const std::vector<float> x = random_values(size, size, -6, 6), dy = random_values(size, size + 1);
            check_close(forward(f, x), activation_reference(f, to_double(x)), 1e-6, 1e-6);
            check_close(backward(f, x, dy), activation_backward_reference(f, to_double(x), to_double(dy)), 1e-6, 1e-6);
            if (size <= 33)
                check_gradient(
                    backward(f, x, dy), [&](const auto& at) { return activation_reference(f, at); }, x, dy);
        }
}

TEST_CASE("activations in place give the same bits as apart") {
    Stream stream;
    const std::vector<float> x = random_values(20011, 3, -6, 6), dy = random_values(20011, 4);
    for (const Activation f : all_activations) {
        std::vector<float> y = x, dx = dy;
        cpu::activation_forward(stream, f, 20011, y.data(), y.data());
        check_identical(y, forward(f, x));
        cpu::activation_backward(stream, f, 20011, x.data(), dx.data(), dx.data());
        check_identical(dx, backward(f, x, dy));
    }
}

TEST_CASE("activations at large values, and relu at zero") {
    const std::vector<float> x = {-INFINITY, -1e30f, -200, -100, -0.0f, 0, 100, 200, 1e30f}, ones(x.size(), 1.0f);
    check_identical(forward(Activation::relu, x), std::vector<float>{0, 0, 0, 0, -0.0f, 0, 100, 200, 1e30f});
    check_identical(backward(Activation::relu, x, ones), std::vector<float>{0, 0, 0, 0, 0, 0, 1, 1, 1});
    // Below -87 sigmoid and silu stand at 1.6e-38 and -1.4e-36.
    check_close(forward(Activation::silu, x), std::vector<double>{0, 0, 0, 0, 0, 0, 100, 200, 1e30f}, 0, 2e-36);
    check_close(backward(Activation::silu, x, ones), std::vector<double>{0, 0, 0, 0, 0.5, 0.5, 1, 1, 1}, 0, 2e-36);
    check_close(forward(Activation::sigmoid, x), std::vector<double>{0, 0, 0, 0, 0.5, 0.5, 1, 1, 1}, 0, 2e-36);
    check_close(backward(Activation::sigmoid, x, ones), std::vector<double>{0, 0, 0, 0, 0.25, 0.25, 0, 0, 0}, 0, 2e-38);
    for (const Activation f : all_activations) CHECK(std::isnan(forward(f, std::vector<float>{NAN}).data()[0]));
}

TEST_CASE("activations do not depend on the number of threads") {
    const std::vector<float> x = random_values(50021, 5, -6, 6), dy = random_values(50021, 6);
    for (const Activation f : all_activations)
        check_deterministic([&] {
            const Guarded y = forward(f, x), dx = backward(f, x, dy);
            std::vector<float> all(y.values().begin(), y.values().end());
            all.insert(all.end(), dx.values().begin(), dx.values().end());
            return all;
        });
}

TEST_CASE("an activation from bf16 to f32 names both types") {
    Stream stream;
    const bfloat16 x[1] = {};
    float y[1];
    CHECK_THROWS_WITH_AS(cpu::activation_forward(stream, Activation::relu, 1, x, y),
                         "[kernel] expected bf16 elements, got f32", Error);
}
