#pragma once

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/bfloat16.h"

/// What every kernel test needs: seeded inputs, comparison against double-precision references, gradient checks by
/// central differences, and buffers that show a write outside their bounds.
namespace karyon::test {

/// splitmix64 (Steele, Lea, Flood 2014): the same numbers with every compiler and standard library.
class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::uint64_t bits() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    /// In [low, high).
    float uniform(float low, float high) { return low + (high - low) * static_cast<float>(bits() >> 40) * 0x1p-24f; }
    /// In [low, high], both included.
    int integer(int low, int high) {
        return low + static_cast<int>(bits() % static_cast<std::uint64_t>(high - low + 1));
    }

  private:
    std::uint64_t state_;
};

inline std::vector<float> random_values(std::size_t count, std::uint64_t seed, float low = -1, float high = 1) {
    Random random(seed);
    std::vector<float> values(count);
    for (float& value : values) value = random.uniform(low, high);
    return values;
}

/// Small integers: sums of their products are exact in fp32 (below 2^24), so a test may demand threshold 0.
inline std::vector<float> integer_values(std::size_t count, std::uint64_t seed, int low = -4, int high = 4) {
    Random random(seed);
    std::vector<float> values(count);
    for (float& value : values) value = static_cast<float>(random.integer(low, high));
    return values;
}

inline std::vector<double> to_double(std::span<const float> values) { return {values.begin(), values.end()}; }

inline std::vector<bfloat16> rounded(std::span<const float> values) {
    std::vector<bfloat16> halves;
    for (const float value : values) halves.emplace_back(value);
    return halves;
}
inline std::vector<float> widened(std::span<const bfloat16> halves) {
    std::vector<float> values;
    for (const bfloat16 half : halves) values.push_back(float(half));
    return values;
}

/// Empty when every |got - expected| <= abs + rel * |expected|; else a text with the count, the worst index and values.
inline std::string difference(std::span<const float> got, std::span<const double> expected, double rel, double abs) {
    if (got.size() != expected.size()) return fmt::format("expected {} values, got {}", expected.size(), got.size());
    std::size_t failures = 0, worst = 0;
    double worst_excess = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
        const double error = std::abs(static_cast<double>(got[i]) - expected[i]);
        const double allowed = abs + rel * std::abs(expected[i]);
        if (error <= allowed) continue;  // false for NaN, which therefore counts as a failure
        const double excess = std::isnan(error) ? HUGE_VAL : error - allowed;
        if (failures++ == 0 || excess > worst_excess) worst = i, worst_excess = excess;
    }
    if (failures == 0) return {};
    return fmt::format("{} of {} values differ (rel {}, abs {}), worst at [{}]: expected {:.9g}, got {:.9g}", failures,
                       got.size(), rel, abs, worst, expected[worst], got[worst]);
}

inline void check_close(std::span<const float> got, std::span<const double> expected, double rel, double abs) {
    const std::string text = difference(got, expected, rel, abs);
    CHECK_MESSAGE(text.empty(), text);
}

/// Threshold 0, bit for bit (so -0 is not 0): determinism, thread counts.
inline void check_identical(std::span<const float> got, std::span<const float> expected) {
    REQUIRE(got.size() == expected.size());
    const auto same = [](float a, float b) {
        return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
    };
    const auto at = std::mismatch(got.begin(), got.end(), expected.begin(), same).first - got.begin();
    CHECK_MESSAGE(static_cast<std::size_t>(at) == got.size(), "first different value at [", at, "]");
}

/// A forward pass in double precision, as a function of one of its inputs.
using Forward = std::function<std::vector<double>(const std::vector<double>&)>;

/// d<cotangent, forward(x)>/dx[index] at `at`, by central differences.
inline double numeric_gradient(const Forward& forward, std::vector<double> at, std::span<const double> cotangent,
                               std::size_t index, double step) {
    const double centre = at[index];
    const auto contracted = [&](double value) {
        at[index] = value;
        const std::vector<double> y = forward(at);
        REQUIRE(y.size() == cotangent.size());
        double sum = 0;
        for (std::size_t i = 0; i < y.size(); ++i) sum += cotangent[i] * y[i];
        return sum;
    };
    return (contracted(centre + step) - contracted(centre - step)) / (2 * step);
}

struct GradientCheck {
    double rel = 1e-4, abs = 1e-5;  ///< allowed |analytic - numeric| <= abs + rel * |numeric|
    double step = 1e-4;
    std::size_t probes = 48;  ///< elements of x that are perturbed, spread over all of them; all when there are fewer
    std::uint64_t seed = 1;
};

/// Compares an fp32 analytic gradient of <cotangent, forward(x)> with central differences in double.
inline void check_gradient(std::span<const float> analytic, const Forward& forward, std::span<const float> x,
                           std::span<const float> cotangent, GradientCheck check = {}) {
    REQUIRE(analytic.size() == x.size());
    const std::vector<double> at = to_double(x), weight = to_double(cotangent);
    const std::size_t probes = std::min(check.probes, x.size());
    Random random(check.seed);
    std::vector<float> got;
    std::vector<double> expected;
    for (std::size_t probe = 0; probe < probes; ++probe) {
        const std::size_t first = probe * x.size() / probes, end = (probe + 1) * x.size() / probes;
        const std::size_t index = first + random.bits() % (end - first);
        got.push_back(analytic[index]);
        expected.push_back(numeric_gradient(forward, at, weight, index, check.step));
    }
    check_close(got, expected, check.rel, check.abs);
}

/// A buffer with guard words on both sides. Starts as NaN, so that an element which a kernel forgets to write shows;
/// `intact()` tells whether a kernel wrote outside. The data starts on no more than a multiple of 4 bytes,
/// so that a kernel which assumes aligned vectors shows too.
class Guarded {
  public:
    explicit Guarded(std::size_t count) : words_(count + 2 * guard, pattern), count_(count) {
        std::fill_n(words_.begin() + guard, count, std::bit_cast<float>(0x7fc00001u));
    }
    explicit Guarded(std::span<const float> values) : Guarded(values.size()) {
        std::copy(values.begin(), values.end(), words_.begin() + guard);
    }

    float* data() { return words_.data() + guard; }
    const float* data() const { return words_.data() + guard; }
    std::size_t size() const { return count_; }
    std::span<const float> values() const { return {data(), count_}; }
    operator std::span<const float>() const { return values(); }

    bool intact() const {
        const auto untouched = [](float word) { return word == pattern; };
        return std::all_of(words_.begin(), words_.begin() + guard, untouched) &&
               std::all_of(words_.end() - guard, words_.end(), untouched);
    }

  private:
    static constexpr std::ptrdiff_t guard = 67;
    static constexpr float pattern = -7.25e18f;
    std::vector<float> words_;
    std::size_t count_;
};

}  // namespace karyon::test
