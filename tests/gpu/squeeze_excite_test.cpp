#include "kernels/excite/squeeze_excite.h"

#include "tests/gpu/op_case.h"
#include "tests/kernels/squeeze_excite_reference.h"

using namespace karyon;
using namespace karyon::kernels;
using namespace karyon::test;

namespace {

constexpr SqueezeExciteShape shapes[] = {{1, 1, 1, 1},    {2, 1, 5, 2},     {1, 49, 1, 1},     {3, 35, 7, 3},
                                         {2, 1030, 6, 2}, {2, 257, 144, 6}, {1, 16, 1632, 68}, {11, 3, 40, 10}};

struct Shape : SqueezeExciteShape {
    DType type;
    std::size_t images, count, width, pooled, hidden, weights;

    Shape(DType type_, const SqueezeExciteShape& shape)
        : SqueezeExciteShape(shape),
          type(type_),
          images(static_cast<std::size_t>(batch)),
          count(images * static_cast<std::size_t>(pixels) * static_cast<std::size_t>(channels)),
          width(static_cast<std::size_t>(channels)),
          pooled(images * width),
          hidden(images * static_cast<std::size_t>(reduced)),
          weights(width * static_cast<std::size_t>(reduced)) {}
    std::string name(const char* op) const {
        return fmt::format("{} {} {}x{}x{} / {}", op, name_of(type), batch, pixels, channels, reduced);
    }
    Result activations() const { return Result::of(type, count, type == DType::f32 ? 1e-5 : 0x1p-8 + 1e-5, 1e-5); }
};

/// x, w1, b1, w2, b2
std::vector<Values> gate_inputs(const Shape& shape, std::uint64_t seed) {
    return {uniform(shape.type, shape.count, seed, -1, 2), uniform(DType::f32, shape.weights, seed + 1, -0.5f, 0.5f),
            uniform(DType::f32, static_cast<std::size_t>(shape.reduced), seed + 2),
            uniform(DType::f32, shape.weights, seed + 3, -0.5f, 0.5f), uniform(DType::f32, shape.width, seed + 4)};
}

OpCase gate_case(const Shape& shape, std::vector<Values> in, std::vector<Result> results) {
    return {.name = shape.name("squeeze_excite_gate"),
            .inputs = std::move(in),
            .results = std::move(results),
            .run =
                [=](auto& stream, auto x, auto out) {
                    gpu::squeeze_excite_gate(stream, shape, x[0], x[1], x[2], x[3], x[4], out[0], out[1], out[2]);
                },
            .reference =
                [=](const auto& x) {
                    const Gate r = gate_reference(shape, x[0], {x[1], x[2], x[3], x[4]});
                    return std::vector<Doubles>{r.pooled, r.hidden, r.gate};
                }};
}

std::vector<Result> gate_results(const Shape& shape) {
    return {Result::of(DType::f32, shape.pooled, 1e-6, 2e-6), Result::of(DType::f32, shape.hidden, 1e-5, 1e-5),
            Result::of(DType::f32, shape.pooled, 1e-5, 1e-6)};
}

OpCase apply_case(const Shape& shape) {
    return {
        .name = shape.name("squeeze_excite_apply"),
        .inputs = {uniform(shape.type, shape.count, 11, -1, 2), uniform(DType::f32, shape.pooled, 12, 0, 1)},
        .results = {Result::of(shape.type, shape.count, shape.type == DType::f32 ? 0x1p-24 : 0x1p-8, 0)},
        .run = [=](auto& stream, auto in, auto out) { gpu::squeeze_excite_apply(stream, shape, in[0], in[1], out[0]); },
        .reference = [=](const auto& in) { return std::vector<Doubles>{gated_reference(shape, in[0], in[1])}; }};
}

/// Inputs x, w1, w2, pooled, hidden, gate, dy; results dx, dw1, db1, dw2, db2.
OpCase backward_case(const Shape& shape, bool with_parameters) {
    std::vector<Values> forward = gate_inputs(shape, 21);
    const ExciteParameters parameters{forward[1].at, forward[2].at, forward[3].at, forward[4].at};
    const Gate f = gate_reference(shape, forward[0].at, parameters);
    const auto f32 = [](const Doubles& values) { return as_type(DType::f32, values); };
    const auto added = [&](std::size_t count, std::uint64_t seed) {
        Result result = Result::added_to(uniform(DType::f32, count, seed), 2e-5, 5e-5);
        result.absent = !with_parameters;
        return result;
    };
    return {
        .name = shape.name("squeeze_excite_backward"),
        .inputs = {forward[0], forward[1], forward[3], f32(f.pooled), f32(f.hidden), f32(f.gate),
                   uniform(shape.type, shape.count, 26)},
        .results = {shape.activations(), added(shape.weights, 27), added(static_cast<std::size_t>(shape.reduced), 28),
                    added(shape.weights, 29), added(shape.width, 30)},
        .run =
            [=](auto& stream, auto in, auto out) {
                gpu::squeeze_excite_backward(stream, shape, in[0], in[1], in[2], in[3], in[4], in[5], in[6], out[0],
                                             out[1], out[2], out[3], out[4]);
            },
        .reference =
            [=](const auto& in) {
                const ExciteParameters p{in[1], {}, in[2], {}};
                auto g = squeeze_excite_backward_reference(shape, in[0], p, {in[3], in[4], in[5]}, in[6]);
                return std::vector<Doubles>{g.dx, g.dw1, g.db1, g.dw2, g.db2};
            }};
}

constexpr DType types[] = {DType::f32, DType::bf16};

}  // namespace

TEST_CASE("squeeze-excite gate on the GPU: every kind of tail") {
    for (const DType type : types)
        for (const SqueezeExciteShape& size : shapes) {
            const Shape shape(type, size);
            check(gate_case(shape, gate_inputs(shape, 1), gate_results(shape)));
        }
}

TEST_CASE("squeeze-excite on the GPU is exact on integers: the mean, and the gate of zero weights") {
    for (const DType type : types)
        for (const SqueezeExciteShape& size :
             {SqueezeExciteShape{2, 1024, 20, 3}, SqueezeExciteShape{1, 64, 272, 68}}) {
            const Shape shape(type, size);
            std::vector<Values> in = gate_inputs(shape, 2);
            in[0] = integers(type, shape.count, 3);
            std::fill(in[3].at.begin(), in[3].at.end(), 0.0);
            std::fill(in[4].at.begin(), in[4].at.end(), 0.0);
            std::vector<Result> results = gate_results(shape);
            results[0].rel = results[0].abs = results[2].rel = results[2].abs = 0;
            check(gate_case(shape, in, results));
        }
}

TEST_CASE("squeeze-excite apply on the GPU: every kind of tail") {
    for (const DType type : types)
        for (const SqueezeExciteShape& size : shapes) check(apply_case({type, size}));
}

TEST_CASE("squeeze-excite backward on the GPU: every kind of tail, with and without parameter gradients") {
    for (const DType type : types) {
        for (const SqueezeExciteShape& size : shapes) check(backward_case({type, size}, true));
        check(backward_case({type, {2, 35, 24, 6}}, false));
    }
}

KARYON_NETWORK_CASES(squeeze_excite) {
    std::vector<NetworkCase> cases;
    const auto add = [&](DType type, const SqueezeExciteShape& size) {
        const Shape shape(type, size);
        cases.push_back({shape.name("squeeze_excite_gate"), squeeze_excite_gate_cost(shape, type),
                         [=] { return gate_case(shape, gate_inputs(shape, 1), gate_results(shape)); }});
        cases.push_back({shape.name("squeeze_excite_apply"), squeeze_excite_apply_cost(shape, type),
                         [=] { return apply_case(shape); }});
        cases.push_back({shape.name("squeeze_excite_backward"), squeeze_excite_backward_cost(shape, type),
                         [=] { return backward_case(shape, true); }});
    };
    for (const DType type : types) {
        add(type, {2, 64 * 64, 144, 6});
        add(type, {8, 8 * 8, 1632, 68});
    }
    return cases;
}
