#include "kernels/elementwise/relu6.h"

#include "tests/kernels/deterministic.h"
#include "tests/kernels/relu6_reference.h"

using namespace karyon;
using namespace karyon::kernels;
using namespace karyon::test;

namespace {

Guarded forward(std::span<const float> x) {
    Stream stream;
    const Guarded from(x);
    Guarded y(x.size());
    cpu::relu6_forward(stream, static_cast<std::int64_t>(x.size()), from.data(), y.data());
    CHECK(y.intact());
    return y;
}

Guarded backward(std::span<const float> y, std::span<const float> dy) {
    Stream stream;
    const Guarded values(y), gradient(dy);
    Guarded dx(y.size());
    cpu::relu6_backward(stream, static_cast<std::int64_t>(y.size()), values.data(), gradient.data(), dx.data());
    CHECK(dx.intact());
    return dx;
}

}  // namespace

TEST_CASE("relu6 and its gradient, exactly") {
    for (const std::size_t size : {1, 7, 33, 16384, 16384 * 2 + 13}) {
        CAPTURE(size);
        const std::vector<float> x = random_values(size, size, -6, 12), dy = random_values(size, size + 1);
        const Guarded y = forward(x);
        check_close(y, relu6_reference(to_double(x)), 0, 0);
        const Guarded dx = backward(y.values(), dy);
        check_close(dx, relu6_backward_reference(relu6_reference(to_double(x)), to_double(dy)), 0, 0);
        if (size <= 33)
            check_gradient(
                dx, [](const auto& at) { return relu6_reference(at); }, x, dy);
    }
}

TEST_CASE("relu6 at its bends, far out and in place") {
    const std::vector<float> x = {-INFINITY, -1e30f, -0.0f, 0, 3, 6, 7, 1e30f, INFINITY}, ones(x.size(), 1.0f);
    check_identical(forward(x), std::vector<float>{0, 0, -0.0f, 0, 3, 6, 6, 6, 6});
    check_identical(backward(forward(x).values(), ones), std::vector<float>{0, 0, 0, 0, 1, 0, 0, 0, 0});
    CHECK(std::isnan(forward(std::vector<float>{NAN}).data()[0]));
    std::vector<float> same = x;
    Stream stream;
    cpu::relu6_forward(stream, static_cast<std::int64_t>(same.size()), same.data(), same.data());
    check_identical(same, forward(x));
}
