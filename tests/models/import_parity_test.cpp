#include <algorithm>

#include "models/import/initialise.h"
#include "tensor/autograd.h"
#include "tests/models/published_fixture.h"

using namespace karyon;
using namespace karyon::test;

namespace {

/// Relative to the largest value. Rounding in float32 leaves about 1e-5 after all blocks.
constexpr double kTolerance = 1e-4;

double difference(std::span<const float> got, const std::vector<float>& wanted, std::int64_t step = 1) {
    double worst = 0, most = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const auto at = std::size_t(std::int64_t(i) * step % std::int64_t(got.size()));
        worst = std::max(worst, std::abs(double(got[at]) - wanted[i]));
        most = std::max(most, std::abs(double(wanted[i])));
    }
    return worst / most;
}

/// Runs the network on every size of the fixture; returns the largest difference of logits and stages.
double worst_difference(const PublishedFixture& fixture, const EncoderHints& hints) {
    const PublishedEncoder encoder(fixture.checkpoint("model.bin"), hints);
    CHECK(encoder.network().member == fixture.member());
    CHECK(encoder.missing().empty());
    CHECK(encoder.misshaped().empty());
    CHECK(encoder.unused().empty());
    const EfficientNet network = load_encoder(encoder);
    const NoGrad off;
    double worst = 0;
    int sizes = 0;
    for (const SafetensorsEntry& entry : fixture.file().entries()) {
        if (!entry.name.starts_with("logits.")) continue;
        ++sizes;
        const std::string size = entry.name.substr(7);
        const int height = std::stoi(size), width = std::stoi(size.substr(size.find('x') + 1));
        const Tensor x = Tensor::empty({1, height, width, 3});
        fill_hashed(x.span<float>(), "input " + size, -2, 2);
        const auto features = network(x, {});
        for (std::size_t stage = 0; stage < 7; ++stage)
            worst = std::max(worst, difference(features.stages[stage].span<float>(),
                                               fixture.values(fmt::format("stage.{}.{}", stage, size)), 7919));
        worst = std::max(worst, difference(network.logits(features.head).span<float>(), fixture.values(entry.name)));
    }
    CHECK(sizes > 0);
    return worst;
}

EncoderHints hints_of(const PublishedFixture& fixture) { return {fixture.source(), fixture.padding_size()}; }

}  // namespace

TEST_CASE("published: every family computes here what its own library computes, at three sizes") {
    for (const std::string name : {"timm_b0", "timm-tf_b0", "timm_lite0", "timm-tf_lite2", "lukemelas_b0",
                                   "lukemelas_lite0", "torchvision_b0", "keras_b0", "qubvel_b0"}) {
        CAPTURE(name);
        const PublishedFixture fixture(name);
        CHECK(worst_difference(fixture, hints_of(fixture)) < kTolerance);
    }
}

TEST_CASE("published: padding fixed for 380 in lukemelas' B4 is another function at 256") {
    const PublishedFixture fixture("lukemelas_b4");
    CHECK(fixture.padding_size() == 380);
    CHECK(worst_difference(fixture, hints_of(fixture)) < kTolerance);
    CHECK(worst_difference(fixture, {"lukemelas", 0}) > 1e-2);
}

TEST_CASE("published: the wrong source of timm's names is another function") {
    const PublishedFixture fixture("timm_b0");
    CHECK(worst_difference(fixture, {"timm-tf", 0}) > 1e-2);
}
