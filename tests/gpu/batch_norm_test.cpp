#include "kernels/norm/batch_norm.h"

#include "tests/gpu/op_case.h"
#include "tests/kernels/batch_norm_reference.h"

using namespace karyon;
using namespace karyon::kernels;
using namespace karyon::test;

namespace {

/// Rows and channels for every path: whole packs or not, several rows to a pack, one slab or more, more than one block
/// below each other, fewer rows than threads.
struct Size {
    std::int64_t rows;
    int channels;
};
constexpr Size sizes[] = {{1, 1}, {3, 1},     {1, 5},     {7, 6},     {37, 24},   {1000, 3},
                          {5, 7}, {2053, 16}, {1030, 22}, {517, 144}, {70, 1793}, {300, 336}};

struct Shape : BatchNormShape {
    DType type;
    std::size_t count, width;

    Shape(DType type_, Size size, Activation f)
        : BatchNormShape{size.rows, size.channels, 1e-3f, f},
          type(type_),
          count(static_cast<std::size_t>(size.rows) * static_cast<std::size_t>(size.channels)),
          width(static_cast<std::size_t>(size.channels)) {}
    std::string name(const char* op) const {
        return fmt::format("{} {} {}x{} {}", op, name_of(type), rows, channels, name_of(activation));
    }
    /// Of an activation: bf16 is rounded once from f32.
    Result activations(double rel = 1e-5, double abs = 2e-5) const {
        return Result::of(type, count, type == DType::f32 ? rel : 0x1p-8 + rel, abs);
    }
};

/// x, mean, variance, gamma, beta, dy; the statistics are those of x where the op takes them for it.
std::vector<Values> inputs_of(const Shape& shape, std::uint64_t seed, bool of_batch) {
    std::vector<Values> in = {
        uniform(shape.type, shape.count, seed, -2, 3),        uniform(DType::f32, shape.width, seed + 1),
        uniform(DType::f32, shape.width, seed + 2, 0.25f, 2), uniform(DType::f32, shape.width, seed + 3, -1.5f, 1.5f),
        uniform(DType::f32, shape.width, seed + 4),           uniform(shape.type, shape.count, seed + 5)};
    if (!of_batch) return in;
    const Statistics s = statistics_of(shape.channels, in[0].at);
    in[1] = as_type(DType::f32, s.mean);
    in[2] = as_type(DType::f32, s.variance);
    return in;
}

std::vector<Values> integer_inputs(const Shape& shape, std::uint64_t seed) {
    const Values three_quarters{DType::f32, Doubles(shape.width, 0.75)};  // with eps = 1/4 a deviation of 1
    return {integers(shape.type, shape.count, seed),
            integers(DType::f32, shape.width, seed + 1),
            three_quarters,
            integers(DType::f32, shape.width, seed + 2),
            integers(DType::f32, shape.width, seed + 3),
            integers(shape.type, shape.count, seed + 4)};
}

OpCase statistics_case(const Shape& shape, Values x, double rel) {
    const auto of = [&](double abs) { return Result::of(DType::f32, shape.width, rel, abs); };
    return {.name = shape.name("batch_norm_statistics"),
            .inputs = {std::move(x)},
            .results = {of(rel), of(0)},
            .run = [=](auto& stream, auto in,
                       auto out) { gpu::batch_norm_statistics(stream, shape, in[0], out[0], out[1]); },
            .reference =
                [=](const auto& in) {
                    const Statistics s = statistics_of(shape.channels, in[0]);
                    return std::vector<Doubles>{s.mean, s.variance};
                }};
}

OpCase running_case(std::int64_t rows, std::size_t channels) {
    const auto filled = [=](double value) { return Values{DType::f32, Doubles(channels, value)}; };
    return {.name = fmt::format("batch_norm_update_running {}x{}", rows, channels),
            .inputs = {uniform(DType::f32, channels, 1), uniform(DType::f32, channels, 2, 0, 3)},
            .results = {Result::added_to(filled(4), 1e-6, 1e-6), Result::added_to(filled(2), 1e-6, 1e-6)},
            .run =
                [=](auto& stream, auto in, auto out) {
                    gpu::batch_norm_update_running(stream, {rows, static_cast<int>(channels)}, 0.25f, in[0], in[1],
                                                   out[0], out[1]);
                },
            .reference =
                [=](const auto& in) {
                    // What is added to the values before.
                    const auto n = static_cast<double>(rows);
                    std::vector<Doubles> moved = in;
                    for (double& mean : moved[0]) mean = 0.25 * (mean - 4);
                    for (double& variance : moved[1]) variance = 0.25 * (variance * (rows > 1 ? n / (n - 1) : 1) - 2);
                    return moved;
                }};
}

OpCase forward_case(const Shape& shape, std::vector<Values> in, Result y) {
    in.pop_back();
    return {.name = shape.name("batch_norm_forward"),
            .inputs = std::move(in),
            .results = {std::move(y)},
            .run = [=](auto& stream, auto x,
                       auto out) { gpu::batch_norm_forward(stream, shape, x[0], x[1], x[2], x[3], x[4], out[0]); },
            .reference =
                [=](const auto& x) {
                    return std::vector<Doubles>{batch_norm_reference(shape, x[0], {x[1], x[2]}, {x[3], x[4]})};
                }};
}

std::string backward_name(const Shape& shape, bool frozen) {
    return shape.name(frozen ? "batch_norm_backward_frozen" : "batch_norm_backward");
}

/// dx, dgamma, dbeta; the latter two absent where they are not wanted.
OpCase backward_case(const Shape& shape, std::vector<Values> in, bool frozen, std::vector<Result> results) {
    return {.name = backward_name(shape, frozen),
            .inputs = std::move(in),
            .results = std::move(results),
            .run =
                [=](auto& stream, auto x, auto out) {
                    const auto op = frozen ? gpu::batch_norm_backward_frozen : gpu::batch_norm_backward;
                    op(stream, shape, x[0], x[1], x[2], x[3], x[4], x[5], out[0], out[1], out[2]);
                },
            .reference =
                [=](const auto& x) {
                    auto g = batch_norm_backward_reference(shape, x[0], {x[1], x[2]}, {x[3], x[4]}, x[5], frozen);
                    return std::vector<Doubles>{g.dx, g.dgamma, g.dbeta};
                }};
}

std::vector<Result> backward_results(const Shape& shape) {
    const double sums = 1e-6 * std::sqrt(static_cast<double>(shape.rows)) + 1e-5;
    const Values before = uniform(DType::f32, shape.width, 7);
    return {shape.activations(1e-5, 5e-5), Result::added_to(before, 1e-5, sums), Result::added_to(before, 1e-5, sums)};
}

/// y = f(z) * scale[image] + residual; either may be absent.
OpCase residual_case(const Shape& shape, std::int64_t rows_per_image, bool scaled, bool added) {
    std::vector<Values> in = inputs_of(shape, 21, false);
    const auto images = static_cast<std::size_t>(shape.rows / rows_per_image);
    in[5] = scaled ? uniform(DType::f32, images, 22, 0, 2) : none();
    in.push_back(added ? uniform(shape.type, shape.count, 23) : none(shape.type));
    return {.name = shape.name("batch_norm_forward_residual"),
            .inputs = std::move(in),
            .results = {shape.activations()},
            .run =
                [=](auto& stream, auto x, auto out) {
                    gpu::batch_norm_forward_residual(stream, shape, rows_per_image, x[0], x[1], x[2], x[3], x[4], x[5],
                                                     x[6], out[0]);
                },
            .reference =
                [=](const auto& x) {
                    Doubles y = batch_norm_reference(shape, x[0], {x[1], x[2]}, {x[3], x[4]});
                    for (std::size_t i = 0; i < y.size(); ++i) {
                        if (scaled) y[i] *= x[5][i / (y.size() / images)];
                        if (added) y[i] += x[6][i];
                    }
                    return std::vector<Doubles>{y};
                }};
}

/// The second half of the way back: dz and its sums are given.
OpCase apply_case(const Shape& shape, bool with_parameters) {
    std::vector<Values> in = inputs_of(shape, 31, true);
    in[4] = none();
    const auto g = batch_norm_backward_reference(shape, in[0].at, {in[1].at, in[2].at},
                                                 {in[3].at, Doubles(shape.width)}, in[5].at, false);
    in.push_back(as_type(DType::f32, g.dbeta));
    in.push_back(as_type(DType::f32, g.dgamma));
    std::vector<Result> results = backward_results(shape);
    if (!with_parameters) results[1].absent = results[2].absent = true;
    return {.name = shape.name("batch_norm_backward_apply"),
            .inputs = std::move(in),
            .results = std::move(results),
            .run =
                [=](auto& stream, auto x, auto out) {
                    gpu::batch_norm_backward_apply(stream, shape, x[0], x[1], x[2], x[3], x[5], x[6], x[7], out[0],
                                                   out[1], out[2]);
                },
            .reference =
                [=](const auto& x) {
                    const Statistics s{x[1], x[2]};
                    auto r = batch_norm_backward_reference(shape, x[0], s, {x[3], Doubles(x[3].size())}, x[5], false);
                    return std::vector<Doubles>{r.dx, x[7], x[6]};
                }};
}

constexpr DType types[] = {DType::f32, DType::bf16};
constexpr Activation all_activations[] = {Activation::none, Activation::relu, Activation::silu, Activation::sigmoid};

}  // namespace

TEST_CASE("batch norm statistics on the GPU: every kind of tail") {
    for (const DType type : types)
        for (const Size size : sizes) {
            const Shape shape(type, size, Activation::none);
            check(statistics_case(shape, uniform(type, shape.count, 1, -2, 5), 3e-6));
        }
}

TEST_CASE("batch norm statistics on the GPU keep their digits where the mean is large, and are exact on integers") {
    // Means are passed on as f32, so that the variance has the error of a mean against the deviation.
    for (const Size size : {Size{2053, 16}, Size{4000, 3}, Size{517, 144}}) {
        const Shape shape(DType::f32, size, Activation::none);
        check(statistics_case(shape, uniform(DType::f32, shape.count, 2, 98.25f, 101.75f), 100 * 0x1p-24));
        check(statistics_case(shape, uniform(DType::f32, shape.count, 2, 9998.25f, 10001.75f), 10000 * 0x1p-24));
    }
    for (const DType type : types)
        for (const Size size : {Size{64, 6}, Size{1024, 16}, Size{256, 208}}) {
            const Shape shape(type, size, Activation::none);
            // Constant in a channel, which every order of merging must leave as it is.
            Values x{type, Doubles(shape.count)};
            for (std::size_t i = 0; i < x.at.size(); ++i) x.at[i] = static_cast<double>(i % shape.width) - 3;
            check(statistics_case(shape, x, 0));
        }
}

TEST_CASE("batch norm running statistics on the GPU move by the momentum") {
    check(running_case(4, 300));
    check(running_case(1, 2));
}

TEST_CASE("batch norm forward on the GPU: every kind of tail and activation") {
    for (const DType type : types) {
        for (const Size size : sizes) {
            const Shape shape(type, size, Activation::silu);
            check(forward_case(shape, inputs_of(shape, 11, false), shape.activations(1e-5, 4e-6)));
        }
        for (const Activation f : all_activations) {
            const Shape shape(type, {100, 24}, f);
            check(forward_case(shape, inputs_of(shape, 12, false), shape.activations(1e-5, 4e-6)));
        }
    }
}

TEST_CASE("batch norm on the GPU is exact on integers, and ReLU cuts alike on both ways") {
    for (const DType type : types)
        for (const Size size : {Size{300, 6}, Size{128, 48}, Size{64, 208}}) {
            Shape shape(type, size, Activation::relu);
            shape.eps = 0.25f;
            check(forward_case(shape, integer_inputs(shape, 41), Result::of(type, shape.count, 0, 0)));
            const auto added = Result::added_to({DType::f32, Doubles(shape.width, 2)}, 0, 0);
            check(backward_case(shape, integer_inputs(shape, 42), true,
                                {Result::of(type, shape.count, 0, 0), added, added}));
        }
}

TEST_CASE("batch norm backward on the GPU: every kind of tail and activation, statistics of the batch and constant") {
    for (const DType type : types)
        for (const bool frozen : {false, true}) {
            for (const Size size : sizes) {
                const Shape shape(type, size, Activation::silu);
                check(backward_case(shape, inputs_of(shape, 13, true), frozen, backward_results(shape)));
            }
            for (const Activation f : all_activations) {
                const Shape shape(type, {100, 24}, f);
                std::vector<Result> results = backward_results(shape);
                results[1].absent = f == Activation::none;
                results[2].absent = f == Activation::relu;
                check(backward_case(shape, inputs_of(shape, 14, true), frozen, results));
            }
        }
}

TEST_CASE("batch norm with drop-connect and residual on the GPU") {
    for (const DType type : types)
        for (const bool scaled : {false, true})
            for (const bool added : {false, true}) {
                check(residual_case({type, {6 * 35, 7}, Activation::none}, 35, scaled, added));
                check(residual_case({type, {4 * 64, 272}, Activation::none}, 64, scaled, added));
            }
    check(residual_case({DType::f32, {60, 24}, Activation::relu}, 12, true, true));
}

TEST_CASE("batch norm backward on the GPU from a gradient and sums that exist") {
    for (const DType type : types)
        for (const Size size : sizes) check(apply_case({type, size, Activation::none}, size.rows % 2 == 1));
}

KARYON_NETWORK_CASES(batch_norm) {
    std::vector<NetworkCase> cases;
    const auto add = [&](DType type, Size size, Activation f) {
        const Shape shape(type, size, f);
        cases.push_back({shape.name("batch_norm_statistics"), batch_norm_statistics_cost(shape, type),
                         [=] { return statistics_case(shape, uniform(type, shape.count, 1, -2, 5), 0); }});
        cases.push_back({shape.name("batch_norm_forward"), cost(shape, type),
                         [=] { return forward_case(shape, inputs_of(shape, 1, false), shape.activations()); }});
        for (const bool frozen : {false, true}) {
            const auto make = [=] {
                return backward_case(shape, inputs_of(shape, 1, false), frozen, backward_results(shape));
            };
            cases.push_back({backward_name(shape, frozen), batch_norm_backward_cost(shape, type, frozen), make});
        }
    };
    // Batch 8 of 256 x 256; where that is large, 2: the expansion of the first blocks, the last ones, the decoder's
    // end.
    for (const DType type : {DType::f32, DType::bf16}) {
        add(type, {2 * 128 * 128, 144}, Activation::silu);
        add(type, {8 * 8 * 8, 1632}, Activation::silu);
        add(type, {2 * 256 * 256, 22}, Activation::relu);
    }
    const Shape tail(DType::bf16, {8 * 32 * 32, 56}, Activation::none);
    Cost with_residual = cost(tail, tail.type);
    with_residual.bytes += static_cast<double>(tail.count * size_of(tail.type)) + 8 * sizeof(float);
    with_residual.flops += 2 * static_cast<double>(tail.count);
    cases.push_back({tail.name("batch_norm_forward_residual"), with_residual,
                     [=] { return residual_case(tail, 32 * 32, true, true); }});
    const Shape depthwise(DType::bf16, {2 * 128 * 128, 144}, Activation::silu);
    Cost applied = batch_norm_backward_cost(depthwise, depthwise.type, true);
    applied.flops = 5 * static_cast<double>(depthwise.count);
    applied.bytes += sizeof(float) * static_cast<double>(depthwise.width);  // two sums for one beta
    cases.push_back(
        {depthwise.name("batch_norm_backward_apply"), applied, [=] { return apply_case(depthwise, true); }});
    cases.push_back({"batch_norm_update_running 512x1632", {6.0 * sizeof(float) * 1632, 0}, [] {
                         return running_case(512, 1632);
                     }});
    return cases;
}
