#include "data/synth.h"

#include <doctest/doctest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

#include "kernels/error.h"

using namespace karyon;

namespace {

double degrees_between(const float* a, const float* b) {
    double ab = 0, aa = 0, bb = 0;
    for (int c = 0; c < 3; ++c) ab += double(a[c]) * b[c], aa += double(a[c]) * a[c], bb += double(b[c]) * b[c];
    return std::acos(std::min(1.0, ab / std::sqrt(aa * bb))) * 180 / std::numbers::pi;
}

SynthConfig small(int width = 160, int height = 120) {
    SynthConfig config;
    config.width = width, config.height = height;
    return config;
}

}  // namespace

TEST_CASE("a synthetic image depends on its seed and on nothing else") {
    const int threads = omp_get_max_threads();
    const SynthImage image = make_synthetic(small(), 5);
    omp_set_num_threads(3);
    const SynthImage again = make_synthetic(small(), 5);
    omp_set_num_threads(threads);
    CHECK(image.image.pixels == again.image.pixels);
    CHECK(image.labels.ids == again.labels.ids);
    CHECK(image.stains.values() == again.stains.values());
    CHECK(image.image.pixels != make_synthetic(small(), 6).image.pixels);
}

TEST_CASE("labels are 1..N, the mask is where they are, and nuclei absorb more red than the rest") {
    const SynthImage synth = make_synthetic(small(400, 300), 9);
    std::set<int> ids(synth.labels.ids.begin(), synth.labels.ids.end());
    CHECK(*ids.begin() == 0);
    CHECK(*ids.rbegin() == int(ids.size()) - 1);
    CHECK(ids.size() > 40);
    CHECK(synth.labels.width == 400);
    CHECK(synth.image.height == 300);
    double red[2] = {}, count[2] = {};
    for (std::size_t i = 0; i < synth.mask.pixels.size(); ++i) {
        REQUIRE(synth.mask.pixels[i] == (synth.labels.ids[i] > 0));
        red[synth.mask.pixels[i]] += synth.image.pixels[3 * i];
        ++count[synth.mask.pixels[i]];
    }
    CHECK(red[1] / count[1] < red[0] / count[0] - 60);
    CHECK(count[1] / (count[0] + count[1]) > 0.1);
}

TEST_CASE("some nuclei touch, and none do where that is not wanted") {
    auto touches = [](const Labels& labels) {
        int pairs = 0;
        for (int y = 0; y < labels.height; ++y)
            for (int x = 1; x < labels.width; ++x) {
                const int a = labels.ids[y * labels.width + x - 1], b = labels.ids[y * labels.width + x];
                pairs += a && b && a != b;
            }
        return pairs;
    };
    SynthConfig config = small(400, 300);
    CHECK(touches(make_synthetic(config, 1).labels) > 50);
    config.touching = 0;
    CHECK(touches(make_synthetic(config, 1).labels) == 0);
}

TEST_CASE("Macenko recovers the stain vectors of whole synthetic sections within 1 degree") {
    for (int seed = 1; seed <= 6; ++seed) {
        const SynthImage synth = make_synthetic(small(500, 500), seed);
        const StainModel found = estimate_stains(synth.image);
        REQUIRE_FALSE(found.fallback);
        for (int s = 0; s < 2; ++s) {
            CHECK(degrees_between(found.stains[s], synth.stains.stains[s]) < 1);
            CHECK(found.max_concentration[s] == doctest::Approx(synth.stains.max_concentration[s]).epsilon(0.1));
        }
        const Image once = normalise(synth.image, found, reference_stains());
        const Image twice = normalise(once, reference_stains(), reference_stains());
        int most = 0;
        for (std::size_t i = 0; i < once.pixels.size(); ++i)
            most = std::max(most, std::abs(once.pixels[i] - twice.pixels[i]));
        CHECK(most <= 1);
    }
}

TEST_CASE("any size and any extreme works, what is out of range is refused") {
    for (auto [width, height] : {std::pair{1, 1}, {1, 40}, {33, 2}, {17, 23}}) {
        const SynthImage synth = make_synthetic(small(width, height), 3);
        CHECK(synth.image.pixels.size() == std::size_t(width) * height * 3);
        CHECK(synth.mask.pixels.size() == std::size_t(width) * height);
    }
    SynthConfig empty = small();
    empty.density = 0, empty.lumen = 1, empty.blur = 0, empty.noise = 0;
    const SynthImage blank = make_synthetic(empty, 1);
    CHECK(std::ranges::count(blank.mask.pixels, 1) == 0);
    CHECK(std::isfinite(blank.stains.max_concentration[0]));

    CHECK_THROWS_AS(make_synthetic(small(0, 5), 1), Error);
    CHECK_THROWS_AS(make_synthetic(small(5, -5), 1), Error);
    SynthConfig bad = small();
    bad.radius = NAN;
    CHECK_THROWS_WITH_AS(make_synthetic(bad, 1), "[synth] radius: expected a value from 2 to 200, got nan", Error);
}
