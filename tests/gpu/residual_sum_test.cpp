#include "kernels/norm/residual_sum.h"

#include "tests/gpu/op_case.h"
#include "tests/kernels/batch_norm_reference.h"

using namespace karyon;
using namespace karyon::kernels;
using namespace karyon::test;

namespace {

struct Shape : ResidualSumShape {
    DType type;
    bool two_norms;
    std::size_t count, width;

    Shape(DType type_, std::int64_t rows_, int channels_, bool two_norms_)
        : ResidualSumShape{rows_, channels_},
          type(type_),
          two_norms(two_norms_),
          count(std::size_t(rows) * std::size_t(channels)),
          width(std::size_t(channels)) {}
    std::string name(const char* op) const {
        return fmt::format("{} {} {}x{}{}", op, name_of(type), rows, channels, two_norms ? " two norms" : "");
    }
    Result activations() const { return Result::of(type, count, type == DType::f32 ? 1e-5 : 0x1p-8 + 1e-5, 1e-5); }
    Result sums() const { return Result::of(DType::f32, width, 1e-5, 1e-6 * std::sqrt(double(rows)) + 2e-5); }
};

constexpr float eps = 0.25f;

/// x and the four vectors of its norm, the shortcut and those of its own, dy. Whole numbers: deviations of 1.
std::vector<Values> inputs_of(const Shape& s, bool exact) {
    std::vector<Values> in;
    const auto values = [&](DType type, std::size_t count, float low, float high) {
        const auto seed = std::uint64_t(31 + in.size());
        return exact ? integers(type, count, seed) : uniform(type, count, seed, low, high);
    };
    for (const bool norm : {true, s.two_norms}) {
        in.push_back(values(s.type, s.count, -2, 3));
        for (int i = 0; i < 4; ++i)
            in.push_back(!norm             ? none()
                         : i == 1 && exact ? Values{DType::f32, Doubles(s.width, 0.75)}
                                           : values(DType::f32, s.width, i == 1 ? 0.25f : -1.5f, 1.5f));
    }
    in.push_back(values(s.type, s.count, -1, 1));
    return in;
}

Prologue norm_of(std::span<const In> in, std::size_t first) {
    return {in[first], in[first + 1], in[first + 2], in[first + 3], eps, Activation::none, {}};
}

struct Reference {
    Doubles z, xhat, xhat_shortcut;

    Reference(const Shape& s, const std::vector<Doubles>& in) : z(s.count) {
        const BatchNormShape bn{s.rows, s.channels, eps, Activation::none};
        const Doubles ones(s.width, 1), zeros(s.width);
        xhat = batch_norm_reference(bn, in[0], {in[1], in[2]}, {ones, zeros});
        xhat_shortcut = s.two_norms ? batch_norm_reference(bn, in[5], {in[6], in[7]}, {ones, zeros}) : in[5];
        for (std::size_t i = 0; i < s.count; ++i) {
            const std::size_t c = i % s.width;
            z[i] = in[3][c] * xhat[i] + in[4][c] +
                   (s.two_norms ? in[8][c] * xhat_shortcut[i] + in[9][c] : xhat_shortcut[i]);
        }
    }
};

OpCase forward_case(const Shape& s, bool exact = false) {
    return {.name = s.name("residual_sum_forward"),
            .inputs = inputs_of(s, exact),
            .results = {exact ? Result::of(s.type, s.count, 0, 0) : s.activations()},
            .run =
                [=](auto& stream, auto in, auto out) {
                    gpu::residual_sum_forward(stream, s, in[0], norm_of(in, 1), in[5], norm_of(in, 6), out[0]);
                },
            .reference =
                [=](const auto& in) {
                    Doubles y = Reference(s, in).z;
                    for (double& value : y) value = std::max(value, 0.0);
                    return std::vector<Doubles>{y};
                }};
}

OpCase backward_case(const Shape& s, bool exact = false) {
    OpCase op{
        .name = s.name("residual_sum_backward"),
        .inputs = inputs_of(s, exact),
        .results = {s.activations(), s.sums(), s.sums(), s.sums()},
        .run =
            [=](auto& stream, auto in, auto out) {
                gpu::residual_sum_backward(stream, s, in[0], norm_of(in, 1), in[5], norm_of(in, 6), in[10], out[0],
                                           out[1], out[2], out[3]);
            },
        .reference =
            [=](const auto& in) {
                const Reference r(s, in);
                std::vector<Doubles> results{Doubles(s.count), Doubles(s.width), Doubles(s.width), Doubles(s.width)};
                for (std::size_t i = 0; i < s.count; ++i) {
                    const std::size_t c = i % s.width;
                    const double dz = r.z[i] > 0 ? in[10][i] : 0;
                    results[0][i] = dz;
                    results[1][c] += dz;
                    results[2][c] += dz * r.xhat[i];
                    results[3][c] += dz * r.xhat_shortcut[i];
                }
                return results;
            }};
    op.results[3].absent = !s.two_norms;
    if (exact)
        for (Result& result : op.results) result.rel = result.abs = 0;
    return op;
}

constexpr DType types[] = {DType::f32, DType::bf16};

}  // namespace

TEST_CASE("gpu residual sum: every kind of tail, with and without a norm of the shortcut") {
    for (const DType type : types)
        for (const bool two_norms : {false, true})
            for (const auto& [rows, channels] :
                 {std::pair{1, 1}, {3, 5}, {37, 24}, {1030, 22}, {517, 144}, {70, 1793}}) {
                check(forward_case({type, rows, channels, two_norms}));
                check(backward_case({type, rows, channels, two_norms}));
            }
}

TEST_CASE("gpu residual sum is exact on integers, and cuts alike on both ways") {
    for (const DType type : types)
        for (const bool two_norms : {false, true})
            for (const auto& [rows, channels] : {std::pair{300, 6}, {128, 48}}) {
                check(forward_case({type, rows, channels, two_norms}, true));
                check(backward_case({type, rows, channels, two_norms}, true));
            }
}

KARYON_NETWORK_CASES(residual_sum) {
    std::vector<NetworkCase> cases;
    // The tail at full size, and a block of the skip at 1/4.
    for (const Shape& s : {Shape(DType::bf16, 2 * 256 * 256, 16, true), Shape(DType::f32, 2 * 256 * 256, 16, true),
                           Shape(DType::bf16, 8 * 64 * 64, 32, false)}) {
        cases.push_back({s.name("residual_sum_forward"), residual_sum_cost(s, s.two_norms, s.type),
                         [=] { return forward_case(s); }});
        cases.push_back({s.name("residual_sum_backward"), residual_sum_backward_cost(s, s.two_norms, s.type),
                         [=] { return backward_case(s); }});
    }
    return cases;
}
