#include "models/predictor.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace karyon;

namespace {

/// A network small enough to run often; its output depends on every pixel it sees.
const Model& tiny_model() {
    static const Model model = [] {
        ModelDescription description;
        description.network = {
            .encoder = "b0", .view = View::local_global, .skip_blocks = 0, .local = 32, .margin = 16};
        return Model(description, 3);
    }();
    return model;
}

Image noise_image(int width, int height, std::uint64_t seed) {
    Image image(width, height);
    for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = std::uint8_t(random_word(seed, 0, i) >> 24);
    return image;
}

Image mirrored(const Image& image) {
    Image out(image.width, image.height);
    for (int y = 0; y < image.height; ++y)
        for (int x = 0; x < image.width; ++x) std::copy_n(image.at(image.width - 1 - x, y), 3, out.at(x, y));
    return out;
}

}  // namespace

TEST_CASE("tile_offsets cover the image and end flush with it") {
    CHECK(tile_offsets(1000, 256, 0) == std::vector{0, 256, 512, 744});
    CHECK(tile_offsets(1000, 256, 64) == std::vector{0, 192, 384, 576, 744});
    CHECK(tile_offsets(256, 256, 64) == std::vector{0});
    CHECK(tile_offsets(10, 256, 64) == std::vector{0});
    CHECK(tile_offsets(257, 256, 0) == std::vector{0, 1});
}

TEST_CASE("predict: every size from 1x1 gives a probability for every pixel") {
    const Predictor predictor(tiny_model());
    for (const auto& [width, height] : {std::pair{1, 1}, {1, 40}, {33, 7}, {32, 32}, {70, 45}})
        for (const int overlap : {0, 8}) {
            CAPTURE(width);
            CAPTURE(height);
            const Probability p = predictor(noise_image(width, height, 1), {.overlap = overlap});
            REQUIRE(p.values.size() == std::size_t(width) * height);
            bool inside = true;
            for (const float value : p.values) inside &= value >= 0 && value <= 1;
            CHECK(inside);
        }
}

TEST_CASE("predict: with flips averaged, a mirrored image gives the mirrored answer") {
    const Predictor predictor(tiny_model());
    const Image image = noise_image(45, 38, 2);
    const PredictOptions flips{.overlap = 8, .augmentation = TestTimeAugmentation::flips};
    const Probability straight = predictor(image, flips), other = predictor(mirrored(image), flips);
    double worst = 0, worst_without = 0;
    const Probability plain = predictor(image, {.overlap = 8}),
                      plain_other = predictor(mirrored(image), {.overlap = 8});
    for (int y = 0; y < 38; ++y)
        for (int x = 0; x < 45; ++x) {
            const std::size_t here = y * 45 + x, there = y * 45 + 44 - x;
            worst = std::max<double>(worst, std::abs(straight.values[here] - other.values[there]));
            worst_without = std::max<double>(worst_without, std::abs(plain.values[here] - plain_other.values[there]));
        }
    CHECK(worst < 1e-5);
    CHECK(worst_without > 1e-3);  // the network itself is not symmetric: the flips did it
}

TEST_CASE("predict: an image the size of a tile is one forward pass, whatever the blending") {
    const Predictor predictor(tiny_model());
    const Image image = noise_image(32, 32, 4);
    int calls = 0, total = 0;
    const Probability a = predictor(image, {.overlap = 0, .gaussian = false}, [&](int done, int of) {
        ++calls;
        total = of;
        CHECK(done == 1);
    });
    const Probability b = predictor(image, {.overlap = 16, .gaussian = true});
    CHECK(calls == 1);
    CHECK(total == 1);
    double worst = 0;
    for (std::size_t i = 0; i < a.values.size(); ++i)
        worst = std::max<double>(worst, std::abs(a.values[i] - b.values[i]));
    CHECK(worst < 1e-6);
}

TEST_CASE("predict: the batch of tiles does not change the answer") {
    const Predictor predictor(tiny_model());
    const Image image = noise_image(70, 70, 5);
    const Probability one = predictor(image, {.overlap = 8, .batch = 1}),
                      three = predictor(image, {.overlap = 8, .batch = 3});
    double worst = 0;
    for (std::size_t i = 0; i < one.values.size(); ++i)
        worst = std::max<double>(worst, std::abs(one.values[i] - three.values[i]));
    CHECK(worst < 1e-5);
}

TEST_CASE("predict: options that cannot work are named") {
    const Predictor predictor(tiny_model());
    const Image image = noise_image(8, 8, 1);
    CHECK_THROWS_WITH_AS(predictor(image, {.overlap = 32}), "[predict] expected an overlap of 0 ... 31, got 32", Error);
    CHECK_THROWS_WITH_AS(predictor(Image(), {}), "[predict] expected an image of at least 1x1 pixels, got 0x0", Error);
    CHECK_THROWS_AS(predictor(image, {.batch = 0}), Error);
}
