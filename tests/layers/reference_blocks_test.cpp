#include <optional>

#include "layers/decoder_block.h"
#include "layers/mbconv.h"
#include "tests/layers/reference_fixture.h"

using namespace karyon;
using namespace karyon::test;

namespace {

// float32 rounds each term of a sum by up to 2^-24 = 6e-8 of it, and the longest sums here have 140 terms, whose
// roundings add as a random walk: below 7e-7 of the largest value, as is measured (4e-7). The way back adds the sums
// over 126 pixels of batch norm's gradient, which cancel in part: measured 1.5e-6. The bounds leave a factor of about 6
// to other orders of summation; a mistake of an index, an eps or a factor shows at 1e-3 and more.
constexpr double kForward = 2e-6, kBackward = 1e-5;

/// Puts the reference's parameters and statistics into a layer, and asks for gradients.
template <typename Layer>
void load(Layer& layer, const Reference& reference) {
    std::size_t loaded = 0, expected = 0;
    layer.visit("", [&](const std::string& name, Tensor& tensor, StateKind kind) {
        const bool parameter = kind == StateKind::parameter;
        const Tensor value = reference.tensor((parameter ? "param." : "running.") + name);
        REQUIRE_MESSAGE(tensor.shape() == value.shape(), name);
        tensor = value;
        if (parameter) tensor.require_gradient();
        ++loaded;
    });
    for (const auto& entry : reference.entries())
        expected += entry.name.starts_with("param.") || entry.name.starts_with("running.");
    REQUIRE(loaded == expected);
}

Tensor input(const Reference& reference, const std::string& name) {
    Tensor x = reference.tensor(name);
    x.require_gradient();
    return x;
}

template <typename Layer>
void check_state(Layer& layer, const Reference& reference) {
    layer.visit("", [&](const std::string& name, Tensor& tensor, StateKind kind) {
        if (kind == StateKind::parameter)
            check_reference("gradient of " + name, tensor.gradient(), reference.tensor("grad." + name), kBackward);
        else
            check_reference(name, tensor, reference.tensor("running_after." + name), kForward);
    });
}

BatchNormOptions batch_norm_options(const Reference& reference) {
    return {.eps = reference.option("eps"), .momentum = reference.option("momentum")};
}

MBConv mbconv(const Reference& reference) {
    const auto option = [&](const char* name) { return int(reference.option(name)); };
    Random random(1);
    MBConv block({.in = option("in"),
                  .out = option("out"),
                  .kernel = option("kernel"),
                  .stride = option("stride"),
                  .expand = option("expand"),
                  .padding = option("same") ? PaddingKind::same : PaddingKind::symmetric,
                  .batch_norm = batch_norm_options(reference)},
                 random);
    load(block, reference);
    return block;
}

DecoderBlock decoder_block(const Reference& reference) {
    Random random(1);
    DecoderBlock block(int(reference.option("in")), int(reference.option("skip")), int(reference.option("out")),
                       batch_norm_options(reference), random);
    load(block, reference);
    return block;
}

/// Both modes, forward and backward. `run(x, pass)` and the inputs are the layer's.
template <typename Layer, typename Run>
void check_block(Layer& layer, const Reference& reference, const std::vector<std::string>& names, const Run& run) {
    for (const bool training : {false, true}) {
        CAPTURE(training);
        const std::string mode = training ? "" : "eval_";
        std::vector<Tensor> inputs;
        for (const auto& name : names) inputs.push_back(input(reference, name));
        load(layer, reference);
        const Tensor y = run(layer, inputs, Pass{.training = training});
        check_reference("output", y, reference.tensor(mode + "output"), kForward);
        backward(dot(y, reference.tensor("grad_output")));
        for (std::size_t i = 0; i < names.size(); ++i)
            check_reference("gradient of " + names[i], inputs[i].gradient(),
                            reference.tensor(mode + "grad_" + names[i]), kBackward);
        if (training) check_state(layer, reference);
    }
}

}  // namespace

TEST_CASE("reference: MBConv agrees with PyTorch, forward and backward, training and evaluation") {
    for (const char* name : {"mbconv_skip", "mbconv_same", "mbconv_symmetric", "mbconv_expand1"}) {
        SUBCASE(name) {
            const Reference reference(name);
            MBConv block = mbconv(reference);
            check_block(block, reference, {"input"},
                        [](const MBConv& b, const std::vector<Tensor>& x, const Pass& pass) { return b(x[0], pass); });
        }
    }
}

TEST_CASE("reference: the decoder block agrees with PyTorch, forward and backward, training and evaluation") {
    const Reference reference("decoder_block");
    DecoderBlock block = decoder_block(reference);
    check_block(
        block, reference, {"input", "skip"},
        [](const DecoderBlock& b, const std::vector<Tensor>& x, const Pass& pass) { return b(x[0], x[1], pass); });
}

TEST_CASE("reference: the comparison sees one wrong element, a NaN, another shape, and the other padding") {
    const Reference reference("mbconv_same");
    const Tensor output = reference.tensor("output");
    CHECK(difference(output, output, 0).empty());
    const Tensor wrong = output.clone();
    wrong.data<float>()[7] += 1e-3f;
    CHECK_FALSE(difference(wrong, output, kForward).empty());
    wrong.data<float>()[7] = NAN;
    CHECK_FALSE(difference(wrong, output, kForward).empty());
    CHECK_FALSE(difference(output.reshape({output.size()}), output, kForward).empty());
    CHECK_FALSE(difference(Tensor(), output, kForward).empty());

    const MBConv block = mbconv(reference);
    MBConv::Options other = block.options();
    other.padding = PaddingKind::symmetric;
    Random random(1);
    MBConv symmetric(other, random);
    load(symmetric, reference);
    const Tensor y = symmetric(reference.tensor("input"), Pass{});
    CHECK(y.shape() == output.shape());
    CHECK_FALSE(difference(y, reference.tensor("eval_output"), kForward).empty());
}
