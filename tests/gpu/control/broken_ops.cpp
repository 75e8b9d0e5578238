// Runs one broken op through the checks of an OpCase and prints what they report. Exit 1 where they report anything.
#define DOCTEST_CONFIG_IMPLEMENT
#include "tests/gpu/control/broken_ops.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <numeric>

#include "tests/gpu/op_case.h"

using namespace karyon;
using namespace karyon::test;

namespace {

constexpr int count = 515, large_count = 1 << 19;

OpCase op_case(const std::string& name, Values x, Result y, std::function<Doubles(const Doubles&)> reference) {
    const auto elements = static_cast<int>(x.at.size());
    return {.name = name,
            .inputs = {std::move(x)},
            .results = {std::move(y)},
            .run =
                [=](auto& stream, auto in, auto out) {
                    void* result = out[0].dtype() == DType::bf16 ? static_cast<void*>(out[0].template as<bfloat16>())
                                                                 : out[0].template as<float>();
                    run_broken(stream, name, elements, const_cast<float*>(in[0].template as<float>()), result);
                },
            .reference = [=](const auto& in) { return std::vector<Doubles>{reference(in[0])}; }};
}

OpCase twice(const std::string& name, DType type) {
    return op_case(name, type == DType::bf16 ? uniform(DType::f32, count, 1) : integers(DType::f32, count, 1),
                   Result::of(type, count, type == DType::bf16 ? 0x1p-8 : 0, 0), [](Doubles x) {
                       for (double& value : x) value *= 2;
                       return x;
                   });
}

/// Exact when the large number is added last; first, it swallows the others.
OpCase sum(const std::string& name) {
    Values x{DType::f32, Doubles(count, 1)};
    x.at.back() = 0x1p24;
    return op_case(name, x, Result::added_to({DType::f32, {0}}, 0, 0),
                   [](const Doubles& in) { return Doubles{std::accumulate(in.begin(), in.end(), 0.0)}; });
}

/// Random numbers: every order of adding them gives other bits.
OpCase large_sum(const std::string& name) {
    return op_case(name, uniform(DType::f32, large_count, 1), Result::added_to({DType::f32, {0}}, 1e-3, 1),
                   [](const Doubles& in) { return Doubles{std::accumulate(in.begin(), in.end(), 0.0)}; });
}

OpCase product(const std::string& name) {
    return op_case(name, integers(DType::f32, 16 * 16 + 16 * 8, 1), Result::of(DType::f32, 16 * 8, 0, 0),
                   [](const Doubles& in) {
                       Doubles y(16 * 8);
                       for (std::size_t row = 0; row < 16; ++row)
                           for (std::size_t column = 0; column < 8; ++column)
                               for (std::size_t k = 0; k < 16; ++k)
                                   y[row * 8 + column] += in[row * 16 + k] * in[256 + k * 8 + column];
                       return y;
                   });
}

OpCase case_of(const std::string& name) {
    if (name == "sums_by_float_atomics") return sum(name);
    if (name == "sums_in_any_order") return large_sum(name);
    if (name == "sound_product" || name == "mixes_fragments") return product(name);
    return twice(name, name == "truncates" ? DType::bf16 : DType::f32);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        fmt::print(stderr, "usage: broken_ops NAME\n");
        return 2;
    }
    const std::string name = argv[1];
    // Two threads may take turns in the same way twice, but not again and again.
    std::vector<std::string> texts;
    for (int run = 0; run < (name == "sums_in_any_order" ? 50 : 1) && texts.empty(); ++run)
        texts = failures(case_of(name));
    for (const std::string& text : texts) fmt::print("{}: {}\n", name, text);
    return texts.empty() ? 0 : 1;
}
