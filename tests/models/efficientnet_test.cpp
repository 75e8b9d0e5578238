#include "models/efficientnet.h"

#include <doctest/doctest.h>

#include "layers/arena.h"
#include "models/local_global_unet.h"
#include "tensor/autograd.h"

using namespace karyon;

namespace {

std::int64_t count(const EfficientNetOptions& options) {
    Random random(1);
    EfficientNet net(options, random);
    return parameter_count([&](const StateVisitor& visitor) { net.visit("", visitor); });
}

std::int64_t count(const UnetOptions& options) {
    Random random(1);
    LocalGlobalUnet net(options, random);
    return parameter_count([&](const StateVisitor& visitor) { net.visit("", visitor); });
}

}  // namespace

TEST_CASE("EfficientNet B4 without its classifier has the published number of parameters") {
    CHECK(count({.member = "b4", .head = true}) == 17548616);
    CHECK(count({.member = "b4"}) == 16742216);
    CHECK_THROWS_WITH_AS(count({.member = "b8"}),
                         "[efficientnet] expected a member b0 ... b7 or lite0 ... lite4, got b8", Error);
}

TEST_CASE("the plain U-Nets on B4 have the published number of parameters") {
    // segmentation_models.pytorch without its unused head, and Keras segmentation_models.
    UnetOptions plain{.encoder = "b4", .view = View::local, .skip_blocks = 0, .tail = false};
    CHECK(count(plain) == 19419289);
    plain.decoder = DecoderForm::keras;
    CHECK(count(plain) == 25607833);
}

TEST_CASE("EfficientNet: shapes of the features, odd sizes too") {
    Random random(1);
    const EfficientNet net({.member = "b0", .head = true}, random);
    const NoGrad no_grad;
    const auto features = net(Tensor::zeros({1, 65, 33, 3}), Pass{});
    CHECK(features.stem.shape() == Shape{1, 33, 17, 32});
    REQUIRE(features.stages.size() == 7);
    CHECK(features.stages[1].shape() == Shape{1, 17, 9, 24});
    CHECK(features.stages[6].shape() == Shape{1, 3, 2, 320});
    CHECK_FALSE(features.expansions[0].defined());
    CHECK(features.expansions[1].shape() == Shape{1, 33, 17, 96});
    CHECK(features.head.shape() == Shape{1, 3, 2, 1280});
}
