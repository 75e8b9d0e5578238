#include "data/stain.h"

#include <doctest/doctest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>

#include "data/stain_eigen.h"
#include "kernels/error.h"
#include "tensor/random.h"

using namespace karyon;

namespace {

double degrees_between(const float* a, const float* b) {
    double ab = 0, aa = 0, bb = 0;
    for (int c = 0; c < 3; ++c) ab += double(a[c]) * b[c], aa += double(a[c]) * a[c], bb += double(b[c]) * b[c];
    return std::acos(std::min(1.0, ab / std::sqrt(aa * bb))) * 180 / std::numbers::pi;
}

/// A third of the pixels pure hematoxylin, a third pure eosin, a third mixed, some glass between; no noise but
/// rounding.
Image stained_image(const StainModel& stains, std::uint64_t seed, int width = 200, int height = 150) {
    Image image(width, height, 255);
    Random random(seed);
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            const int kind = random.below(8);
            const float h = kind < 5 ? random.uniform(0.1f, 1.f) * stains.max_concentration[0] : 0;
            const float e = kind > 2 && kind < 7 ? random.uniform(0.5f, 1.f) * stains.max_concentration[1] : 0;
            for (int c = 0; c < 3; ++c) {
                const float density = h * stains.stains[0][c] + e * stains.stains[1][c];
                image.at(x, y)[c] = std::uint8_t(std::max(0l, std::lround(256 * std::exp(-density) - 1)));
            }
        }
    return image;
}

StainModel stains_of(std::array<float, 3> h, std::array<float, 3> e, float max_h, float max_e) {
    auto unit = [](std::array<float, 3> v) {
        const float length = std::sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
        return std::array{v[0] / length, v[1] / length, v[2] / length};
    };
    h = unit(h), e = unit(e);
    return StainModel::from_values({h[0], h[1], h[2], e[0], e[1], e[2], max_h, max_e});
}

int greatest_difference(const Image& a, const Image& b) {
    REQUIRE(a.pixels.size() == b.pixels.size());
    int most = 0;
    for (std::size_t i = 0; i < a.pixels.size(); ++i) most = std::max(most, std::abs(a.pixels[i] - b.pixels[i]));
    return most;
}

const StainModel models[] = {reference_stains(), stains_of({0.65f, 0.70f, 0.29f}, {0.27f, 0.91f, 0.31f}, 1.5f, 1.1f),
                             stains_of({0.55f, 0.75f, 0.35f}, {0.20f, 0.90f, 0.40f}, 1.2f, 0.9f),
                             stains_of({0.70f, 0.65f, 0.30f}, {0.25f, 0.80f, 0.55f}, 1.8f, 1.3f)};

}  // namespace

TEST_CASE("eigenvectors of a symmetric matrix") {
    Random random(3);
    for (int trial = 0; trial < 20; ++trial) {
        std::array<std::array<double, 3>, 3> a{};
        for (int i = 0; i < 3; ++i)
            for (int j = i; j < 3; ++j) a[i][j] = a[j][i] = trial ? random.normal() : double(i == j);
        const Eigen3 eigen = symmetric_eigen(a);
        CHECK(eigen.values[0] >= eigen.values[1]);
        CHECK(eigen.values[1] >= eigen.values[2]);
        for (int k = 0; k < 3; ++k)
            for (int i = 0; i < 3; ++i) {
                double product = 0, other = 0;
                for (int j = 0; j < 3; ++j) product += a[i][j] * eigen.vectors[k][j];
                for (int j = 0; j < 3; ++j) other += eigen.vectors[k][j] * eigen.vectors[i][j];
                CHECK(product == doctest::Approx(eigen.values[k] * eigen.vectors[k][i]).epsilon(1e-12).scale(1));
                CHECK(other == doctest::Approx(double(i == k)).epsilon(1e-12).scale(1));
            }
    }
}

TEST_CASE("Macenko recovers the stain vectors of synthetic images within 1 degree") {
    for (const StainModel& truth : models) {
        const StainModel found = estimate_stains(stained_image(truth, 11));
        REQUIRE_FALSE(found.fallback);
        for (int s = 0; s < 2; ++s) {
            CHECK(degrees_between(found.stains[s], truth.stains[s]) < 1);
            CHECK(found.max_concentration[s] == doctest::Approx(truth.max_concentration[s]).epsilon(0.03));
        }
    }
}

TEST_CASE("the 1 degree test notices a stain that is 2 degrees off") {
    StainModel off = reference_stains();
    off.stains[0][0] += 0.036f;
    CHECK(degrees_between(off.stains[0], reference_stains().stains[0]) > 1.5);
    CHECK(degrees_between(estimate_stains(stained_image(off, 1)).stains[0], reference_stains().stains[0]) > 1);
}

TEST_CASE("normalising an image to its own stains changes no pixel by more than 1 grey level") {
    for (const StainModel& truth : models) {
        const Image image = stained_image(truth, 12);
        const StainModel own = estimate_stains(image);
        CHECK(greatest_difference(normalise(image, own, own), image) <= 1);
        if (&truth != &models[1]) CHECK(greatest_difference(normalise(image, truth, models[1]), image) > 10);
    }
}

TEST_CASE("a normalised image has the stains of the target, and normalising it again changes at most 1 grey level") {
    const StainModel target = reference_stains();
    for (const StainModel& truth : models) {
        const Image image = stained_image(truth, 13);
        const Image once = normalise(image, estimate_stains(image), target);
        const StainModel found = estimate_stains(once);
        REQUIRE_FALSE(found.fallback);
        for (int s = 0; s < 2; ++s) {
            CHECK(degrees_between(found.stains[s], target.stains[s]) < 0.5);
            CHECK(found.max_concentration[s] == doctest::Approx(target.max_concentration[s]).epsilon(0.01));
        }
        CHECK(greatest_difference(normalise(once, target, target), once) <= 1);
        CHECK(greatest_difference(normalise(once, found, target), once) <= 1);
    }
}

TEST_CASE("pictures without two stains fall back and come back unchanged") {
    auto falls_back = [](const Image& image) {
        const StainModel model = estimate_stains(image);
        for (float value : model.values()) CHECK(std::isfinite(value));
        CHECK(model.fallback);
        CHECK(normalise(image, model, reference_stains()).pixels == image.pixels);
    };
    falls_back(Image());
    falls_back(Image(1, 1, 100));
    for (int level : {0, 1, 128, 254, 255}) falls_back(Image(64, 48, std::uint8_t(level)));
    Image pink(64, 64);
    for (std::size_t i = 0; i < pink.pixels.size(); ++i) pink.pixels[i] = std::array{220, 120, 160}[i % 3];
    falls_back(pink);
    Image almost_blank(100, 100, 250);
    for (int x = 0; x < 100; ++x) almost_blank.at(x, 50)[1] = 90;
    falls_back(almost_blank);
    StainModel eosin_only = reference_stains();
    eosin_only.max_concentration[0] = 1e-6f;
    falls_back(stained_image(eosin_only, 14));
    Image grey(64, 64);
    for (int i = 0; i < 64 * 64; ++i) std::fill_n(&grey.pixels[3 * i], 3, std::uint8_t(i % 256));
    falls_back(grey);
}

TEST_CASE("any picture of noise gives finite values") {
    for (int seed = 0; seed < 20; ++seed) {
        Random random(seed);
        Image noise(40 + seed, 30);
        for (auto& level : noise.pixels) level = std::uint8_t(seed % 2 ? random.u32() : random.below(2) * 255);
        const StainModel model = estimate_stains(noise);
        for (float value : model.values()) CHECK(std::isfinite(value));
        if (!model.fallback) CHECK_NOTHROW(StainModel::from_values(model.values()));
    }
}

TEST_CASE("glass stays white, and an almost empty tile keeps its contrast") {
    const Image image = stained_image(models[1], 15, 60, 60);
    Image tile(600, 400, 255);
    for (int y = 0; y < 60; ++y) std::copy_n(image.at(0, y), 180, tile.at(100, y + 100));
    const StainModel model = estimate_stains(tile);
    REQUIRE_FALSE(model.fallback);
    CHECK(model.max_concentration[0] == doctest::Approx(models[1].max_concentration[0]).epsilon(0.05));
    const Image result = normalise(tile, model, reference_stains());
    CHECK(result.at(0, 0)[0] == 255);
    CHECK(result.at(599, 399)[2] == 255);
}

TEST_CASE("a stain model survives its eight numbers, and bad ones are refused") {
    const auto values = models[2].values();
    CHECK(StainModel::from_values(values).values() == values);
    auto changed = [&](int i, float value) {
        auto bad = values;
        bad[i] = value;
        return bad;
    };
    CHECK_THROWS_AS(StainModel::from_values(changed(0, NAN)), Error);
    CHECK_THROWS_AS(StainModel::from_values(changed(6, 0)), Error);
    CHECK_THROWS_AS(StainModel::from_values({1, 2, 3, 2, 4, 6, 1, 1}), Error);
    CHECK_THROWS_AS(StainModel::from_values({0, 0, 0, 2, 4, 6, 1, 1}), Error);
}

TEST_CASE("estimation and normalisation give the same bits on any number of threads") {
    const Image image = stained_image(models[3], 16);
    const int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    const auto one = estimate_stains(image).values();
    const Image normalised = normalise(image, estimate_stains(image), reference_stains());
    omp_set_num_threads(5);
    CHECK(estimate_stains(image).values() == one);
    CHECK(normalise(image, estimate_stains(image), reference_stains()).pixels == normalised.pixels);
    omp_set_num_threads(threads);
}
