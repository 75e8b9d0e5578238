#include "tests/kernels/reference.h"

#include <limits>

using namespace karyon::test;

TEST_CASE("reference: difference finds one wrong value, a NaN and a wrong size") {
    const std::vector<double> expected = {1, 2, 3};
    CHECK(difference(std::vector<float>{1, 2, 3}, expected, 0, 0).empty());
    CHECK(difference(std::vector<float>{1, 2.001f, 3}, expected, 1e-2, 0).empty());
    CHECK(difference(std::vector<float>{1, 2.001f, 3}, expected, 1e-5, 1e-5).find("at [1]") != std::string::npos);
    const float nan = std::numeric_limits<float>::quiet_NaN();
    CHECK(difference(std::vector<float>{1, 2, nan}, expected, 1, 1).find("at [2]") != std::string::npos);
    CHECK(!difference(std::vector<float>{1, 2}, expected, 1, 1).empty());
}

TEST_CASE("reference: guards see a write on either side") {
    Guarded buffer(5);
    CHECK(buffer.intact());
    buffer.data()[4] = 1;
    CHECK(buffer.intact());
    SUBCASE("before") { buffer.data()[-1] = 1; }
    SUBCASE("after") { buffer.data()[5] = 1; }
    CHECK(!buffer.intact());
}

TEST_CASE("reference: the numeric gradient is that of the contraction") {
    const Forward cube = [](const std::vector<double>& x) {
        std::vector<double> y(x.size());
        std::transform(x.begin(), x.end(), y.begin(), [](double v) { return v * v * v; });
        return y;
    };
    const std::vector<double> cotangent = {2, -1};
    CHECK(numeric_gradient(cube, {0.5, 3}, cotangent, 0, 1e-4) == doctest::Approx(1.5));
    CHECK(numeric_gradient(cube, {0.5, 3}, cotangent, 1, 1e-4) == doctest::Approx(-27));
}
