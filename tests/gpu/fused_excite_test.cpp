#include "kernels/excite/fused_excite.h"

#include "tests/gpu/op_case.h"
#include "tests/kernels/fused_excite_reference.h"

using namespace karyon;
using namespace karyon::kernels;
using namespace karyon::test;

namespace {

constexpr SqueezeExciteShape shapes[] = {{1, 2, 1, 1},     {2, 6, 5, 2},     {3, 35, 7, 3},  {2, 1030, 6, 2},
                                         {2, 257, 144, 6}, {2, 16, 336, 14}, {11, 3, 40, 10}};

struct Shape : SqueezeExciteShape {
    DType type;
    Activation activation;
    BatchNormShape bn;
    std::size_t count, width, pooled, hidden, weights, reduced_width;

    Shape(DType type_, const SqueezeExciteShape& shape, Activation f = Activation::silu)
        : SqueezeExciteShape(shape),
          type(type_),
          activation(f),
          bn(batch_norm_shape(shape, 1e-3f, f)),
          count(static_cast<std::size_t>(bn.rows) * static_cast<std::size_t>(channels)),
          width(static_cast<std::size_t>(channels)),
          pooled(static_cast<std::size_t>(batch) * width),
          hidden(static_cast<std::size_t>(batch) * static_cast<std::size_t>(reduced)),
          weights(width * static_cast<std::size_t>(reduced)),
          reduced_width(static_cast<std::size_t>(reduced)) {}
    std::string name(const char* op) const {
        return fmt::format("{} {} {}x{}x{} / {} {}", op, name_of(type), batch, pixels, channels, reduced,
                           name_of(activation));
    }
    Prologue prologue(In mean, In variance, In gamma, In beta) const {
        return {mean, variance, gamma, beta, bn.eps, activation, nullptr};
    }
};

/// d, mean, variance, gamma, beta, w1, b1, w2, b2; the statistics are those of d.
std::vector<Values> gate_inputs(const Shape& shape, std::uint64_t seed) {
    const auto f32 = [&](std::size_t count, float low, float high) {
        return uniform(DType::f32, count, ++seed, low, high);
    };
    const Values d = uniform(shape.type, shape.count, seed, -2, 3);
    const Statistics s = statistics_of(shape.channels, d.at);
    return {d,
            as_type(DType::f32, s.mean),
            as_type(DType::f32, s.variance),
            f32(shape.width, -1.5f, 1.5f),
            f32(shape.width, -1, 1),
            f32(shape.weights, -0.5f, 0.5f),
            f32(shape.reduced_width, -1, 1),
            f32(shape.weights, -0.5f, 0.5f),
            f32(shape.width, -1, 1)};
}

OpCase gate_case(const Shape& shape) {
    return {
        .name = shape.name("excite_fused_gate"),
        .inputs = gate_inputs(shape, 1),
        .results = {Result::of(DType::f32, shape.pooled, 2e-6, 4e-6), Result::of(DType::f32, shape.hidden, 1e-5, 2e-5),
                    Result::of(DType::f32, shape.pooled, 1e-5, 4e-6)},
        .run =
            [=](auto& stream, auto x, auto out) {
                gpu::excite_fused_gate(stream, shape, x[0], shape.prologue(x[1], x[2], x[3], x[4]), x[5], x[6], x[7],
                                       x[8], out[0], out[1], out[2]);
            },
        .reference =
            [=](const auto& x) {
                const Doubles v = batch_norm_reference(shape.bn, x[0], {x[1], x[2]}, {x[3], x[4]});
                const Gate r = gate_reference(shape, v, {x[5], x[6], x[7], x[8]});
                return std::vector<Doubles>{r.pooled, r.hidden, r.gate};
            }};
}

/// Inputs d, mean, variance, gamma, beta, w1, w2, pooled, hidden, gate, dv_gated; results dd, dw1, db1, dw2, db2,
/// dgamma, dbeta.
OpCase backward_case(const Shape& shape, bool frozen, bool with_parameters) {
    std::vector<Values> in = gate_inputs(shape, 21);
    const Gate f =
        gate_reference(shape, batch_norm_reference(shape.bn, in[0].at, {in[1].at, in[2].at}, {in[3].at, in[4].at}),
                       {in[5].at, in[6].at, in[7].at, in[8].at});
    in.erase(in.begin() + 8);
    in.erase(in.begin() + 6);
    for (const Doubles* values : {&f.pooled, &f.hidden, &f.gate}) in.push_back(as_type(DType::f32, *values));
    in.push_back(uniform(shape.type, shape.count, 30));

    std::vector<Result> results = {
        Result::of(shape.type, shape.count, shape.type == DType::f32 ? 2e-5 : 0x1p-8 + 2e-5, 1e-4)};
    const double sums = 1e-6 * std::sqrt(static_cast<double>(shape.bn.rows)) + 5e-5;
    for (const std::size_t count :
         {shape.weights, shape.reduced_width, shape.weights, shape.width, shape.width, shape.width}) {
        results.push_back(Result::added_to(uniform(DType::f32, count, 31), 2e-5, sums));
        results.back().absent = !with_parameters;
    }
    return {.name = shape.name(frozen ? "excite_fused_backward frozen" : "excite_fused_backward"),
            .inputs = std::move(in),
            .results = std::move(results),
            .run =
                [=](auto& stream, auto x, auto out) {
                    gpu::excite_fused_backward(stream, shape, x[0], shape.prologue(x[1], x[2], x[3], x[4]), frozen,
                                               x[5], x[6], x[7], x[8], x[9], x[10], out[0], out[1], out[2], out[3],
                                               out[4], out[5], out[6]);
                },
            .reference =
                [=](const auto& x) {
                    auto g = fused_excite_backward_reference(shape, shape.bn, x[0], {x[1], x[2]}, {x[3], x[4]},
                                                             {x[5], {}, x[6], {}}, {x[7], x[8], x[9]}, x[10], frozen);
                    return std::vector<Doubles>{g.norm.dx,    g.excite.dw1,  g.excite.db1, g.excite.dw2,
                                                g.excite.db2, g.norm.dgamma, g.norm.dbeta};
                }};
}

constexpr DType types[] = {DType::f32, DType::bf16};

}  // namespace

TEST_CASE("the gate of a fused MBConv block on the GPU: every kind of tail") {
    for (const DType type : types) {
        for (const SqueezeExciteShape& size : shapes) check(gate_case({type, size}));
        check(gate_case({type, {2, 35, 24, 6}, Activation::relu}));
    }
}

TEST_CASE("the way back through gate, squeeze-excite, activation and batch norm on the GPU: every kind of tail") {
    for (const DType type : types) {
        for (const SqueezeExciteShape& size : shapes)
            for (const bool frozen : {false, true}) check(backward_case({type, size}, frozen, true));
        check(backward_case({type, {2, 35, 24, 6}}, false, false));
        for (const Activation f : {Activation::none, Activation::relu, Activation::sigmoid})
            check(backward_case({type, {2, 35, 24, 6}, f}, false, true));
    }
}

TEST_CASE("a fused MBConv block needs the statistics of its batch norm") {
    CudaStream stream;
    float value = 0;
    CHECK_THROWS_WITH_AS(
        gpu::excite_fused_gate(stream, {}, &value, {}, &value, &value, &value, &value, &value, &value, &value),
        "[excite_fused_gate] expected the statistics of a batch normalisation, got none", Error);
}

KARYON_NETWORK_CASES(fused_excite) {
    std::vector<NetworkCase> cases;
    const auto add = [&](DType type, const SqueezeExciteShape& size) {
        const Shape shape(type, size);
        cases.push_back(
            {shape.name("excite_fused_gate"), excite_fused_gate_cost(shape, type), [=] { return gate_case(shape); }});
        cases.push_back({shape.name("excite_fused_backward"), excite_fused_backward_cost(shape, type),
                         [=] { return backward_case(shape, false, true); }});
    };
    for (const DType type : types) {
        add(type, {2, 64 * 64, 192, 8});
        add(type, {8, 16 * 16, 960, 40});
        add(type, {8, 8 * 8, 1632, 68});
    }
    return cases;
}
