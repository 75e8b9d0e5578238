#include "kernels/resample/bilinear_resize.h"

#include "tests/kernels/deterministic.h"
#include "tests/kernels/resize_reference.h"

using namespace karyon;
using namespace karyon::kernels;
using namespace karyon::test;

namespace {

const ResizeShape shapes[] = {{1, 1, 1, 1, 1, 1}, {1, 1, 1, 3, 4, 2},    {2, 7, 5, 1, 1, 3},     {1, 5, 9, 5, 9, 3},
                              {2, 9, 7, 6, 5, 3}, {1, 6, 5, 17, 13, 20}, {1, 48, 36, 32, 24, 3}, {1, 3, 64, 64, 3, 1}};

Guarded forward(const ResizeShape& s, std::span<const float> x) {
    Stream stream;
    const Guarded from(x);
    Guarded y(output_size(s));
    cpu::bilinear_resize_forward(stream, s, from.data(), y.data());
    CHECK(y.intact());
    return y;
}

Guarded backward(const ResizeShape& s, std::span<const float> dy) {
    Stream stream;
    const Guarded from(dy);
    Guarded dx(input_size(s));
    cpu::bilinear_resize_backward(stream, s, from.data(), dx.data());
    CHECK(dx.intact());
    return dx;
}

}  // namespace

TEST_CASE("bilinear resizing agrees with its definition") {
    for (const ResizeShape& shape : shapes) {
        CAPTURE(shape.in_width);
        CAPTURE(shape.out_width);
        const std::vector<float> x = random_values(input_size(shape), 1);
        check_close(forward(shape, x), resize_reference(shape, to_double(x)), 1e-6, 1e-6);
    }
}

TEST_CASE("the gradient of bilinear resizing is its transpose") {
    for (const ResizeShape& shape : shapes) {
        CAPTURE(shape.in_width);
        CAPTURE(shape.out_width);
        // <dy, R x> = <R^T dy, x> for every unit x, probed by differences of the linear reference.
        const std::vector<float> x = random_values(input_size(shape), 2), dy = random_values(output_size(shape), 3);
        check_close(backward(shape, dy), resize_backward_reference(shape, to_double(dy)), 1e-5, 1e-5);
        check_gradient(backward(shape, dy), [&](const auto& at) { return resize_reference(shape, at); }, x, dy,
                       {.rel = 1e-5, .abs = 1e-5, .step = 0.5, .probes = 12});
    }
}

TEST_CASE("halving averages 2 x 2 pixels exactly, and the same size is a copy") {
    const ResizeShape half{2, 10, 6, 5, 3, 3}, same{1, 5, 7, 5, 7, 2};
    const std::vector<float> x = integer_values(input_size(half), 4), dy = integer_values(output_size(half), 5);
    check_close(forward(half, x), resize_reference(half, to_double(x)), 0, 0);
    std::vector<float> spread(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
        const std::size_t c = i % 3, j = i / 3 % 6, row = i / 18;
        spread[i] = dy[(row / 2 * 3 + j / 2) * 3 + c] / 4;
    }
    check_close(backward(half, dy), to_double(spread), 0, 0);
    const std::vector<float> copied = random_values(input_size(same), 6);
    check_identical(forward(same, copied), copied);
    check_identical(backward(same, copied), copied);
}

TEST_CASE("bilinear resizing does not depend on the number of threads") {
    const ResizeShape shape{2, 48, 36, 32, 24, 3};
    const std::vector<float> x = random_values(input_size(shape), 7), dy = random_values(output_size(shape), 8);
    check_deterministic([&] {
        const Guarded y = forward(shape, x), dx = backward(shape, dy);
        std::vector<float> all(y.values().begin(), y.values().end());
        all.insert(all.end(), dx.values().begin(), dx.values().end());
        return all;
    });
}
