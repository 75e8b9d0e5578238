#include <string_view>

#include "layers/arena.h"
#include "models/efficientnet.h"
#include "tests/layers/reference_fixture.h"

using namespace karyon;
using namespace karyon::test;

namespace {

// The 16 or 32 blocks of the encoder each add a few units of 2^-24 = 6e-8 to what they are given: 2.5e-6 is measured in
// the sixth stage of B4. A mistake in the wiring changes everything.
constexpr double kTolerance = 1e-5;

std::uint64_t seed_of(std::string_view name) {  // FNV-1a
    std::uint64_t value = 0xcbf29ce484222325u;
    for (const char c : name) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    return value;
}

/// Element i: the upper 24 bits of splitmix64's output i + 1 from the name's seed, as low + (high - low) * u in double.
void fill_hashed(const Tensor& tensor, std::string_view name, double low, double high) {
    std::uint64_t state = seed_of(name);
    for (float& value : tensor.span<float>()) {
        std::uint64_t z = state += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        value = float(low + (high - low) * (double((z ^ (z >> 31)) >> 40) * 0x1p-24));
    }
}

/// The weights of tests/reference/encoder.py, by name and shape.
void fill_weights(const std::string& name, const Tensor& tensor) {
    const bool norm = name.find("_bn.") != std::string::npos;
    if (name.ends_with(".running_mean")) return fill_hashed(tensor, name, -0.2, 0.2);
    if (name.ends_with(".running_var") || (norm && name.ends_with(".weight")))
        return fill_hashed(tensor, name, 0.5, 1.5);
    if (name.ends_with(".bias")) return fill_hashed(tensor, name, -0.5, 0.5);
    const bool depthwise = name.find(".depthwise.") != std::string::npos;
    const auto fan_in = depthwise ? tensor.dim(0) * tensor.dim(1) : tensor.size() / tensor.dim(0);
    const double bound = std::sqrt(4.5 / double(fan_in));
    fill_hashed(tensor, name, -bound, bound);
}

/// Elements i * 7919 mod size: what the files hold of a large tensor.
Tensor sample(const Tensor& tensor, std::int64_t count) {
    const Tensor picked = Tensor::empty({count});
    for (std::int64_t i = 0; i < count; ++i) picked.data<float>()[i] = tensor.data<float>()[i * 7919 % tensor.size()];
    return picked;
}

EfficientNet::Features features_of(const std::string& member, const Reference& reference, PaddingKind padding) {
    Random random(1);
    EfficientNet network({.member = member,
                          .padding = padding,
                          .batch_norm = {.eps = reference.option("eps"), .momentum = 0.1f},
                          .head = true},
                         random);
    network.visit("", [](const std::string& name, Tensor& tensor, StateKind) { fill_weights(name, tensor); });
    const Tensor x =
        Tensor::empty({1, std::int64_t(reference.option("height")), std::int64_t(reference.option("width")), 3});
    fill_hashed(x, "input", -2, 2);
    const NoGrad off;
    return network(x, {});
}

PaddingKind padding_of(const Reference& reference) {
    return reference.option("same") != 0 ? PaddingKind::same : PaddingKind::symmetric;
}

void check_sample(const Reference& reference, const std::string& name, const Tensor& got) {
    const Tensor expected = reference.tensor(name);
    REQUIRE_MESSAGE(got.defined(), name);
    check_reference(name, sample(got, expected.size()), expected, kTolerance);
}

}  // namespace

TEST_CASE("reference: every stage of EfficientNet agrees with torchvision's network") {
    for (const std::string member : {"b0", "b4"}) {
        CAPTURE(member);
        const Reference reference("encoder_" + member);
        const auto features = features_of(member, reference, padding_of(reference));
        check_sample(reference, "features.0", features.stem);
        REQUIRE(features.stages.size() == 7);
        REQUIRE(features.expansions.size() == 7);
        CHECK_FALSE(features.expansions[0].defined());
        for (std::size_t i = 0; i < 7; ++i) {
            check_sample(reference, "features." + std::to_string(i + 1), features.stages[i]);
            if (i > 0) check_sample(reference, "expansion." + std::to_string(i + 1), features.expansions[i]);
        }
        check_sample(reference, "features.8", features.head);
    }
}

TEST_CASE("reference: the comparison sees the other padding in the whole network") {
    const Reference reference("encoder_b4");
    const auto features = features_of("b4", reference, PaddingKind::symmetric);
    const Tensor expected = reference.tensor("features.7");
    CHECK_FALSE(difference(sample(features.stages[6], expected.size()), expected, kTolerance).empty());
}

TEST_CASE("reference: EfficientNet B0 to B7 have torchvision's numbers of parameters") {
    const Reference reference("encoder_counts");
    REQUIRE(reference.entries().size() == 8);
    for (const auto& entry : reference.entries()) {
        CAPTURE(entry.name);
        Random random(1);
        EfficientNet network({.member = entry.name, .classes = 1000}, random);
        const auto count = parameter_count([&](const StateVisitor& visitor) { network.visit("", visitor); });
        CHECK(count == reference.tensor(entry.name).data<std::int32_t>()[0]);
    }
}
