#include "kernels/conv/fused_conv2d.h"

#include "tests/gpu/conv2d_design.h"
#include "tests/kernels/batch_norm_reference.h"

using namespace karyon;
using namespace karyon::test;

namespace {

using kernels::Activation;
using kernels::Epilogue;
using kernels::In;
using kernels::Prologue;
using Shape = Conv2dShape;

/// Which parts of a prologue and an epilogue are there.
struct Parts {
    bool bn = false, gate = false, bias = false, residual = false, statistics = false;
    Activation before = Activation::none, after = Activation::none;

    std::string name() const {
        return fmt::format("{}{}{}{}{} {} {}", bn ? "bn " : "", gate ? "gate " : "", bias ? "bias " : "",
                           residual ? "residual " : "", statistics ? "statistics" : "", name_of(before),
                           name_of(after));
    }
};

/// Exact where the scale is: the deviations are powers of two.
Values variances(const Numbers& numbers, std::size_t count) {
    if (!numbers.exact) return uniform(DType::f32, count, 12, 0.2f, 2);
    Values values = integers(DType::f32, count, 12, 0, 1);
    for (double& value : values.at) value = value == 0 ? 1 : 0.25;
    return values;
}

/// x and what a prologue takes of it, as the first six inputs of a case.
std::vector<Values> prologue_inputs(const Shape& s, const Numbers& numbers, const Parts& parts) {
    const auto of_channel = [&](std::uint64_t seed) {
        return parts.bn ? numbers.values(DType::f32, std::size_t(s.in_channels), seed) : none();
    };
    return {numbers.values(reference::x_size(s), 1),
            of_channel(11),
            parts.bn ? variances(numbers, std::size_t(s.in_channels)) : none(),
            of_channel(13),
            of_channel(14),
            parts.gate ? numbers.values(DType::f32, std::size_t(s.batch) * std::size_t(s.in_channels), 15) : none()};
}

Prologue prologue_of(const Parts& parts, const Numbers& numbers, std::span<const In> in) {
    return {in[1], in[2], in[3], in[4], numbers.exact ? 0.0f : 1e-3f, parts.before, in[5]};
}

/// prologue(x) in double, of the six inputs.
Doubles normalised(const Shape& s, const Numbers& numbers, const Parts& parts, const std::vector<Doubles>& in) {
    Doubles x = in[0];
    const kernels::BatchNormShape bn{std::int64_t(s.batch) * s.height * s.width, s.in_channels,
                                     numbers.exact ? 0.0f : 1e-3f, parts.before};
    if (parts.bn) x = batch_norm_reference(bn, x, {in[1], in[2]}, {in[3], in[4]});
    const std::size_t per_image = x.size() / std::size_t(s.batch), channels = std::size_t(s.in_channels);
    if (parts.gate)
        for (std::size_t i = 0; i < x.size(); ++i) x[i] *= in[5][i / per_image * channels + i % channels];
    return x;
}

/// bf16 are rounded after the prologue, too: an error of 2^-9 of each, of which some are above 1.
double extra_error(const Numbers& numbers, const Parts& parts, double length) {
    return !numbers.exact && (parts.bn || parts.gate)
               ? (numbers.type == DType::bf16 ? 1e-2 : 4e-6) * (1 + std::sqrt(length))
               : 0;
}

OpCase fused_forward_case(const Shape& s, const Numbers& numbers, const Parts& parts) {
    const auto out = std::size_t(s.out_channels), count = reference::y_size(s);
    OpCase op{.name = fmt::format("conv2d_fused_forward {} {} {}", numbers.name(), text(s), parts.name()),
              .inputs = prologue_inputs(s, numbers, parts),
              .results = {numbers.result(count, double(s.kernel) * s.kernel * s.in_channels),
                          Result::of(DType::f32, out, 1e-5, 1e-5), Result::of(DType::f32, out, 1e-5, 1e-5)},
              .run = {},
              .reference = {}};
    op.inputs.push_back(numbers.values(reference::w_size(s), 2));
    op.inputs.push_back(parts.bias ? numbers.values(DType::f32, out, 3) : none());
    op.inputs.push_back(parts.residual ? numbers.values(count, 4) : none(numbers.type));
    const double extra = extra_error(numbers, parts, double(s.kernel) * s.kernel * s.in_channels);
    op.results[0].abs += extra;
    for (const int i : {1, 2}) {
        op.results[i].absent = !parts.statistics;
        if (extra > 0) op.results[i].rel = op.results[i].abs = numbers.type == DType::bf16 ? 2e-2 : 1e-4;
    }
    op.run = [=](auto& stream, auto in, auto to) {
        kernels::gpu::conv2d_fused_forward(stream, s, in[0], prologue_of(parts, numbers, in), in[6],
                                           Epilogue{in[7], parts.after, in[8], to[1], to[2]}, to[0]);
    };
    op.reference = [=](const auto& in) {
        Doubles y = reference::forward(s, normalised(s, numbers, parts, in), in[6], in[7]);
        for (double& value : y) value = activation_reference(parts.after, value);
        if (parts.residual)
            for (std::size_t i = 0; i < y.size(); ++i) y[i] += in[8][i];
        const Statistics statistics = statistics_of(s.out_channels, y);
        return std::vector<Doubles>{numbers.rounded(y), statistics.mean, statistics.variance};
    };
    return op;
}

OpCase fused_backward_weights_case(const Shape& s, const Numbers& numbers, const Parts& parts, bool with_bias = true) {
    const double pixels = double(s.batch) * s.out_height() * s.out_width();
    OpCase op{
        .name = fmt::format("conv2d_fused_backward_weights {} {} {}", numbers.name(), text(s), parts.name()),
        .inputs = prologue_inputs(s, numbers, parts),
        .results = {numbers.sum(reference::w_size(s), 3, pixels), numbers.sum(std::size_t(s.out_channels), 4, pixels)},
        .run = {},
        .reference = {}};
    op.inputs.push_back(numbers.values(reference::y_size(s), 2));
    op.results[0].abs += extra_error(numbers, parts, pixels);
    op.results[1].absent = !with_bias;
    op.run = [=](auto& stream, auto in, auto to) {
        kernels::gpu::conv2d_fused_backward_weights(stream, s, in[0], prologue_of(parts, numbers, in), in[6], to[0],
                                                    to[1]);
    };
    op.reference = [=](const auto& in) {
        return std::vector<Doubles>{
            reference::backward_weights(s, normalised(s, numbers, parts, in), in[6], Doubles(reference::w_size(s))),
            reference::backward_bias(in[6], Doubles(std::size_t(s.out_channels)))};
    };
    return op;
}

constexpr DType types[] = {DType::f32, DType::bf16};
constexpr Parts se_project{.bn = true, .gate = true, .statistics = true, .before = Activation::silu};

}  // namespace

TEST_CASE("gpu fused conv2d: batch norm, activation and gate on the way in") {
    for (const DType type : types) {
        const Numbers reals{type, false}, whole{type, true};
        const Parts bn_relu{.bn = true, .before = Activation::relu}, gate{.gate = true};
        for (const Shape& s : {Shape{3, 7, 9, 56, 24, 1, 1, {}}, Shape{2, 5, 6, 17, 9, 1, 1, {}}}) {
            for (const Parts& parts : {se_project, gate}) check(fused_forward_case(s, reals, parts));
            check(fused_forward_case(s, whole, bn_relu));
            check(fused_backward_weights_case(s, reals, se_project));
            check(fused_backward_weights_case(s, whole, bn_relu));
            check(fused_backward_weights_case(s, whole, gate));
        }
        // beta makes padding of 0 differ from padding before the normalisation.
        const Parts all{.bn = true, .gate = true, .before = Activation::sigmoid};
        for (const Shape& s : {Shape{2, 6, 7, 16, 40, 3, 1, {1, 1, 1, 1}}, Shape{2, 9, 8, 6, 8, 3, 2, {0, 0, 1, 1}},
                               Shape{1, 5, 4, 3, 5, 3, 1, {1, 1, 1, 1}}}) {
            check(fused_forward_case(s, reals, all));
            check(fused_forward_case(s, whole, bn_relu));
            check(fused_backward_weights_case(s, reals, all));
        }
    }
    check(fused_forward_case({1, 29, 64, 24, 1272, 1, 1, {}}, {DType::bf16, false}, se_project));
    check(fused_backward_weights_case({2, 9, 9, 104, 128, 1, 1, {}}, {DType::bf16, false}, se_project));
}

TEST_CASE("gpu fused conv2d: bias, activation, residual and statistics on the way out") {
    const Parts statistics{.statistics = true};
    const Parts all{.bias = true, .residual = true, .statistics = true, .after = Activation::silu};
    const Parts relu{.bias = true, .after = Activation::relu};
    for (const DType type : types)
        for (const Shape& s : {Shape{2, 13, 11, 24, 144, 1, 1, {}}, Shape{2, 9, 9, 8, 32, 3, 1, {1, 1, 1, 1}},
                               Shape{1, 7, 20, 6, 31, 3, 2, {1, 1, 1, 1}}, Shape{1, 1, 1, 16, 8, 1, 1, {}}}) {
            check(fused_forward_case(s, {type, true}, statistics));
            check(fused_forward_case(s, {type, false}, all));
            check(fused_forward_case(s, {type, true}, relu));
        }
    check(fused_forward_case({1, 37, 38, 24, 1272, 1, 1, {}}, {DType::bf16, true}, statistics));
    check(fused_forward_case({1, 300, 256, 8, 16, 1, 1, {}}, {DType::bf16, true}, statistics));
}

TEST_CASE("gpu fused conv2d: statistics where the mean is large against the deviation") {
    const Shape s{1, 40, 40, 8, 16, 1, 1, {}};
    OpCase op = fused_forward_case(s, {DType::f32, false}, {.bias = true, .statistics = true});
    for (double& value : op.inputs[7].at) value += 1000;
    op.results[2].rel = 1e-3;
    check(op);
}

TEST_CASE("gpu fused conv2d: the weight gradient of the reference agrees with central differences") {
    const Shape s{2, 4, 5, 6, 7, 3, 1, {1, 1, 1, 1}};
    const Numbers numbers{DType::f32, false};
    const OpCase op = fused_backward_weights_case(s, numbers, se_project);
    std::vector<Doubles> in;
    for (const Values& values : op.inputs) in.push_back(values.at);
    const std::vector<float> w = random_values(reference::w_size(s), 9), dy(in[6].begin(), in[6].end());
    const Doubles dw = op.reference(in)[0];
    const Doubles x = normalised(s, numbers, se_project, in);
    check_gradient(
        std::vector<float>(dw.begin(), dw.end()), [&](const Doubles& at) { return reference::forward(s, x, at, {}); },
        w, dy);
}

KARYON_NETWORK_CASES(fused_conv2d) {
    // The two convolutions of an MBConv block in training, batch statistics on the way out of both.
    const Parts expand{.statistics = true};
    std::vector<NetworkCase> cases;
    const auto add = [&](const Shape& s, DType type, const Parts& parts) {
        const Numbers numbers{type, false};
        const double in = s.in_channels, prologue = parts.bn ? 4 * (4 * in + s.batch * in) : 0;
        kernels::Cost forward = kernels::cost(s, type), backward = weights_cost(s, type);
        forward.bytes += prologue + 8 * s.out_channels;
        backward.bytes += prologue;
        const GemmDesign design{s, type, parts.bn ? 4.0 : 0.0, parts.gate, parts.statistics};
        const std::string suffix = fmt::format("{} {} {}", name_of(type), text(s), parts.name());
        cases.push_back({"conv2d fused forward " + suffix, forward,
                         [=] { return fused_forward_case(s, numbers, parts); }, design.forward()});
        if (parts.bn)
            cases.push_back({"conv2d fused backward weights " + suffix, backward,
                             [=] { return fused_backward_weights_case(s, numbers, parts, false); },
                             design.backward_weights()});
    };
    add({1, 128, 128, 24, 144, 1, 1, {}}, DType::bf16, expand);
    add({8, 16, 16, 112, 672, 1, 1, {}}, DType::bf16, expand);
    add({2, 64, 64, 144, 32, 1, 1, {}}, DType::bf16, se_project);
    add({8, 16, 16, 672, 160, 1, 1, {}}, DType::bf16, se_project);
    add({8, 8, 8, 1632, 448, 1, 1, {}}, DType::bf16, se_project);
    add({2, 64, 64, 144, 32, 1, 1, {}}, DType::f32, se_project);
    return cases;
}
