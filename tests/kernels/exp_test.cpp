#include "kernels/elementwise/exp.h"

#include <limits>

#include "tests/kernels/reference.h"

using namespace karyon;
using namespace karyon::test;

namespace {

KARYON_SIMD void exp_vectorised(std::size_t count, const float* x, float* y) {
    for (std::size_t i = 0; i < count; ++i) y[i] = kernels::exp_f32(x[i]);
}

void exp_baseline(std::size_t count, const float* x, float* y) {
    for (std::size_t i = 0; i < count; ++i) y[i] = kernels::exp_f32(x[i]);
}

/// |got - exact| in units of the spacing of floats at exact; an overflow counts as the first value beyond the range.
double ulp_error(float got, double exact) {
    if (std::isnan(exact)) return std::isnan(got) ? 0 : HUGE_VAL;
    const double limit = 0x1p128, value = std::isinf(got) ? limit : static_cast<double>(got);
    if (exact >= limit) return std::isinf(got) ? 0 : HUGE_VAL;
    if (exact == 0) return got == 0 ? 0 : HUGE_VAL;
    const int exponent = std::max(std::ilogb(exact), -126);
    return std::abs(value - exact) / std::ldexp(1.0, exponent - 23);
}

std::vector<float> every(std::uint32_t stride, std::uint32_t first, std::uint32_t end) {
    std::vector<float> values;
    for (std::uint64_t bits = first; bits < end; bits += stride)
        values.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    return values;
}

double worst_error(const std::vector<float>& x, void (*function)(std::size_t, const float*, float*)) {
    std::vector<float> y(x.size());
    function(x.size(), x.data(), y.data());
    double worst = 0;
    for (std::size_t i = 0; i < x.size(); ++i)
        worst = std::max(worst, ulp_error(y[i], std::exp(static_cast<double>(x[i]))));
    return worst;
}

}  // namespace

TEST_CASE("exp is within 1.5 ulp of the exact value over all floats") {
    const auto bits = [](float value) { return std::bit_cast<std::uint32_t>(value); };
    const std::vector<float> everything = every(4093, 0, 0xffffffffu);
    const std::vector<float> positive = every(113, bits(0x1p-12f), bits(90.0f));
    const std::vector<float> negative = every(113, bits(-0x1p-12f), bits(-105.0f));
    for (const auto& x : {everything, positive, negative}) {
        CHECK(worst_error(x, exp_vectorised) <= 1.5);
        CHECK(worst_error(x, exp_baseline) <= 1.5);
    }
}

TEST_CASE("the ulp measure sees an error of two units") {
    const std::vector<float> x = {1.0f};
    CHECK(worst_error(x, [](std::size_t, const float*, float* y) { y[0] = 0x1.5bf0a8p1f + 2 * 0x1p-22f; }) > 1.5);
    CHECK(std::isinf(ulp_error(1.0f, std::numeric_limits<double>::quiet_NaN())));
}

TEST_CASE("exp and sigmoid at their ends") {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    CHECK(kernels::exp_f32(0.0f) == 1.0f);
    CHECK(kernels::exp_f32(-infinity) == 0.0f);
    CHECK(kernels::exp_f32(infinity) == infinity);
    CHECK(kernels::exp_f32(89.0f) == infinity);
    CHECK(kernels::exp_f32(-103.0f) == std::numeric_limits<float>::denorm_min());
    CHECK(std::isnan(kernels::exp_f32(std::numeric_limits<float>::quiet_NaN())));
    CHECK(kernels::sigmoid_f32(0.0f) == 0.5f);
    CHECK(kernels::sigmoid_f32(infinity) == 1.0f);
    CHECK(kernels::sigmoid_f32(-infinity) == kernels::sigmoid_f32(-87.0f));
    CHECK(std::isnan(kernels::sigmoid_f32(std::numeric_limits<float>::quiet_NaN())));
}

TEST_CASE("sigmoid is within 2.5 ulp down to -87 and constant below") {
    double worst = 0;
    for (const float x : every(997, 0, 0xffffffffu)) {
        if (!(x >= -87)) continue;
        worst = std::max(worst, ulp_error(kernels::sigmoid_f32(x), 1 / (1 + std::exp(-static_cast<double>(x)))));
    }
    CHECK(worst <= 2.5);
    CHECK(kernels::sigmoid_f32(-1e30f) == kernels::sigmoid_f32(-87.0f));
    CHECK(kernels::sigmoid_f32(-87.0f) < 1.7e-38f);
}
