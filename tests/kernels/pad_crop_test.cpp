#include "kernels/resample/pad_crop.h"

#include "tests/kernels/deterministic.h"
#include "tests/kernels/pad_reference.h"

using namespace karyon;
using namespace karyon::kernels;
using namespace karyon::test;

namespace {

const PadShape shapes[] = {
    {1, 1, 1, 1, {}},
    {1, 1, 1, 1, {2, 3, 4, 5}},
    {2, 5, 7, 3, {1, 0, 0, 2}},
    {2, 9, 8, 4, {-2, -1, -3, -2}},
    {1, 6, 6, 5, {3, -2, -4, 1}},
    {2, 65, 63, 6, {64, 64, 64, 64}},
    {1, 4, 4, 2, {-6, 0, 5, 0}},
    {1, 4, 4, 2, {0, 7, 0, -6}},
    {1, 4, 5, 1, {-4, 0, 0, 0}},
    {1, 3, 3, 2, {0, -5, 0, 9}},
};

std::vector<float> pad(const PadShape& s, const std::vector<float>& x) {
    Stream stream;
    const Guarded from(x);
    Guarded y(elements(s, s.out_height(), s.out_width()));
    cpu::pad_crop(stream, s, from.data(), y.data());
    CHECK(y.intact());
    return {y.values().begin(), y.values().end()};
}

}  // namespace

TEST_CASE("padding and cropping move pixels and write zeros elsewhere") {
    for (const PadShape& shape : shapes) {
        CAPTURE(shape.pad.top);
        CAPTURE(shape.pad.left);
        CAPTURE(shape.pad.right);
        const std::vector<float> x = random_values(elements(shape, shape.height, shape.width), 1);
        check_identical(pad(shape, x), pad_reference(shape, x));
        check_deterministic([&] { return pad(shape, x); });
    }
}

TEST_CASE("the negated padding over the shape of y is the gradient") {
    for (const PadShape& shape : shapes) {
        CAPTURE(shape.pad.top);
        CAPTURE(shape.pad.left);
        const Padding& p = shape.pad;
        const PadShape back{
            shape.batch, shape.out_height(), shape.out_width(), shape.channels, {-p.top, -p.left, -p.bottom, -p.right}};
        const std::vector<float> x = integer_values(elements(shape, shape.height, shape.width), 2);
        const std::vector<float> dy = integer_values(elements(shape, shape.out_height(), shape.out_width()), 3);
        const std::vector<float> y = pad(shape, x), dx = pad(back, dy);
        double forward = 0, backward = 0;
        for (std::size_t i = 0; i < y.size(); ++i) forward += static_cast<double>(y[i]) * static_cast<double>(dy[i]);
        for (std::size_t i = 0; i < x.size(); ++i) backward += static_cast<double>(x[i]) * static_cast<double>(dx[i]);
        CHECK(forward == backward);
    }
}

TEST_CASE("cropping more than there is names the sizes") {
    Stream stream;
    const float x[4] = {};
    float y[4] = {};
    CHECK_THROWS_WITH_AS(cpu::pad_crop(stream, {1, 2, 2, 1, {-2, 0, -1, 0}}, x, y),
                         "[pad_crop] expected to take off at most 2 x 2 pixels, got a result of -1 x 2", Error);
}
