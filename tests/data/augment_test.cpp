#include "data/augment.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "data/augment_color.h"
#include "data/augment_warp.h"
#include "data/gaussian_blur.h"
#include "data/smooth_field.h"
#include "data/synth.h"
#include "kernels/error.h"

using namespace karyon;

namespace {

constexpr int local = 40, margin = 12, global = local + 2 * margin;

PatchGeometry geometry() {
    PatchGeometry g;
    g.local = local, g.margin = margin;
    return g;
}

struct Views {
    std::vector<float> local_view = std::vector<float>(local * local * 3);
    std::vector<float> global_view = std::vector<float>(global * global * 3);
    std::vector<std::uint8_t> target = std::vector<std::uint8_t>(local * local);
};

const SynthImage& section() {
    static const SynthImage synth = [] {
        SynthConfig config;
        config.width = 150, config.height = 110;
        return make_synthetic(config, 21);
    }();
    return synth;
}

Views sample(const Augmentation& a, int x = 50, int y = 40, const SynthImage& synth = section()) {
    Views views;
    Sampler sampler(geometry(), {});
    sampler.sample(synth.image, synth.mask, x, y, a,
                   {views.local_view.data(), views.global_view.data(), views.target.data()});
    return views;
}

/// The middle of the global view.
std::vector<float> middle(const std::vector<float>& view) {
    std::vector<float> result;
    for (int row = margin; row < margin + local; ++row) {
        const float* begin = &view[(row * global + margin) * 3];
        result.insert(result.end(), begin, begin + local * 3);
    }
    return result;
}

/// A quarter turn counterclockwise of [size, size, channels].
template <typename T>
std::vector<T> turned(const std::vector<T>& view, int size, int channels) {
    std::vector<T> result(view.size());
    for (int y = 0; y < size; ++y)
        for (int x = 0; x < size; ++x)
            for (int c = 0; c < channels; ++c)
                result[((size - 1 - x) * size + y) * channels + c] = view[(y * size + x) * channels + c];
    return result;
}

template <typename T>
std::vector<T> mirrored(const std::vector<T>& view, int size, int channels) {
    std::vector<T> result(view.size());
    for (int y = 0; y < size; ++y)
        for (int x = 0; x < size; ++x)
            for (int c = 0; c < channels; ++c)
                result[(y * size + size - 1 - x) * channels + c] = view[(y * size + x) * channels + c];
    return result;
}

double mean_difference(const std::vector<float>& a, const std::vector<float>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
    return sum / double(a.size());
}

}  // namespace

TEST_CASE("without augmentation a sample is what is cut directly, outside the image too") {
    for (auto [x, y] : {std::pair{50, 40}, {0, 0}, {110, 70}, {-20, 90}}) {
        const Views views = sample({}, x, y);
        std::vector<float> direct_local(local * local * 3), direct_global(global * global * 3);
        std::vector<std::uint8_t> direct_target(local * local);
        cut_patch(section().image, x, y, local, Border::zero, {}, direct_local.data());
        cut_global(section().image, x, y, geometry(), {}, direct_global.data());
        cut_mask(section().mask, x, y, local, direct_target.data());
        CHECK(views.local_view == direct_local);
        CHECK(views.global_view == direct_global);
        CHECK(views.target == direct_target);
    }
}

TEST_CASE("flips and quarter turns move pixels exactly") {
    const Views plain = sample({}, -7, 75);
    for (bool flip : {false, true}) {
        auto local_view = plain.local_view, global_view = plain.global_view;
        auto target = plain.target;
        if (flip) {
            local_view = mirrored(local_view, local, 3), global_view = mirrored(global_view, global, 3);
            target = mirrored(target, local, 1);
        }
        for (int turns = 0; turns < 4; ++turns) {
            Augmentation a;
            a.flip = flip, a.quarter_turns = turns;
            const Views views = sample(a, -7, 75);
            CHECK(views.local_view == local_view);
            CHECK(views.global_view == global_view);
            CHECK(views.target == target);
            local_view = turned(local_view, local, 3), global_view = turned(global_view, global, 3);
            target = turned(target, local, 1);
        }
        CHECK(local_view != turned(local_view, local, 3));
    }
}

TEST_CASE("a free turn of a quarter is a quarter turn, and a zoom of 2 doubles lengths") {
    Augmentation quarter, free;
    quarter.quarter_turns = 1;
    free.angle = 1.57079633f;
    CHECK(mean_difference(sample(quarter).global_view, sample(free).global_view) < 1e-3);

    SynthImage dots{Image(64, 64, 255), {}, Mask(64, 64), {}};
    for (int y = 28; y < 36; ++y)
        for (int x = 28; x < 36; ++x) dots.mask.pixels[y * 64 + x] = 1;
    Augmentation zoom;
    zoom.zoom = 2;
    const auto target = sample(zoom, 12, 12, dots).target;
    CHECK(std::accumulate(target.begin(), target.end(), 0) == 16 * 16);
}

TEST_CASE("both views agree under every augmentation at once, and each one changes the sample") {
    AugmentConfig config;
    config.flip = config.rot90 = true;
    config.rotate = 1, config.scale = 1.3f, config.elastic = 3, config.stain_gain = 0.2f, config.stain_bias = 0.05f;
    config.brightness = 0.1f, config.contrast = 0.2f, config.gamma = 0.2f, config.blur = 1, config.noise = 1;
    Random random(8);
    for (int i = 0; i < 10; ++i) {
        const Augmentation a = draw_augmentation(config, random);
        const Views views = sample(a, 10 * i, 8 * i);
        CHECK(middle(views.global_view) == views.local_view);
        CHECK(std::ranges::all_of(views.global_view, [](float v) { return std::isfinite(v); }));
        CHECK(sample(a, 10 * i, 8 * i).global_view == views.global_view);
    }
    const Views plain = sample({});
    std::vector<Augmentation> single(9);
    single[0].angle = 0.3f, single[1].zoom = 1.2f, single[2].elastic = 3, single[3].stain_gain[0] = 1.2f;
    single[4].stain_bias[1] = 0.1f, single[5].gamma = 1.2f, single[6].contrast = 1.2f, single[7].blur = 1,
    single[8].noise = 5;
    for (const Augmentation& a : single) CHECK(mean_difference(sample(a).local_view, plain.local_view) > 0.01);
}

TEST_CASE("outside the image stays black whatever the recolouring") {
    Augmentation a;
    a.stain_gain[0] = 0.5f, a.stain_bias[0] = 0.3f, a.brightness = 0.3f, a.noise = 20, a.blur = 2, a.gamma = 0.8f;
    const Views views = sample(a, -local / 2, 30);
    const Views plain = sample({}, -local / 2, 30);
    int outside = 0, changed = 0;
    for (int row = 0; row < local; ++row)
        for (int i = 0; i < local / 2 * 3; ++i) {
            ++outside;
            changed += views.local_view[row * local * 3 + i] != plain.local_view[row * local * 3 + i];
        }
    CHECK(outside > 0);
    CHECK(changed == 0);
}

TEST_CASE("image and mask move together: nuclei stay dark under the warped mask") {
    Augmentation a;
    a.angle = 0.7f, a.zoom = 1.2f, a.elastic = 4, a.elastic_spacing = 25, a.seed = 3;
    const Views views = sample(a, 55, 35);
    double red[2] = {}, count[2] = {};
    for (int i = 0; i < local * local; ++i) red[views.target[i]] += views.local_view[3 * i], ++count[views.target[i]];
    REQUIRE(count[1] > 30);
    CHECK(red[1] / count[1] < red[0] / count[0] - 0.8);
}

TEST_CASE("recolouring changes the concentrations as told") {
    Augmentation a;
    a.stain_gain[0] = 1.25f, a.stain_gain[1] = 0.8f, a.stain_bias[0] = 0.1f, a.stain_bias[1] = -0.05f;
    const StainModel stains = reference_stains();
    const auto inverse = unmixing(stains);
    Random random(2);
    for (int i = 0; i < 200; ++i) {
        const float h = random.uniform(0.1f, 1.5f), e = random.uniform(0.2f, 1);
        float levels[3], density[3], found[2] = {};
        for (int c = 0; c < 3; ++c) levels[c] = 256 * std::exp(-h * stains.stains[0][c] - e * stains.stains[1][c]) - 1;
        recolour(a, stains, levels, 1);
        for (int c = 0; c < 3; ++c) density[c] = -std::log((levels[c] + 1) / 256);
        for (int s = 0; s < 2; ++s)
            for (int c = 0; c < 3; ++c) found[s] += inverse[s][c] * density[c];
        CHECK(found[0] == doctest::Approx(1.25f * h + 0.1f).epsilon(1e-4).scale(1));
        CHECK(found[1] == doctest::Approx(0.8f * e - 0.05f).epsilon(1e-4).scale(1));
    }
}

TEST_CASE("gamma, contrast and brightness as in their formula") {
    Augmentation a;
    a.gamma = 1.3f, a.contrast = 0.8f, a.brightness = 0.07f;
    for (int level = 0; level < 256; ++level) {
        float levels[3] = {float(level), float(level), float(level)};
        recolour(a, reference_stains(), levels, 1);
        const double want = (std::pow(level / 255.0, 1.3) - 0.5) * 0.8 + 0.57;
        CHECK(levels[1] == doctest::Approx(255 * std::clamp(want, 0.0, 1.0)).epsilon(1e-3));
    }
}

TEST_CASE("noise has the deviation that was asked for") {
    std::vector<float> values(100001);
    add_noise(5, 17, values.data(), values.size());
    double sum = 0, square = 0;
    for (float v : values) sum += v, square += double(v) * v;
    CHECK(std::abs(sum / double(values.size())) < 0.1);
    CHECK(std::sqrt(square / double(values.size())) == doctest::Approx(5).epsilon(0.01));
}

TEST_CASE("a blur keeps a flat picture, spreads a point by its deviation, and works on one pixel") {
    std::vector<float> flat(20 * 9 * 3, 77.f);
    gaussian_blur(flat.data(), 20, 9, 2.5f);
    CHECK(std::ranges::all_of(flat, [](float v) { return std::abs(v - 77) < 1e-3f; }));

    const int size = 41;
    std::vector<float> point(size * size * 3);
    point[(20 * size + 20) * 3 + 1] = 1;
    gaussian_blur(point.data(), size, size, 2);
    double total = 0, spread_x = 0, spread_y = 0, other = 0;
    for (int y = 0; y < size; ++y)
        for (int x = 0; x < size; ++x) {
            const float* p = &point[(y * size + x) * 3];
            total += p[1], spread_x += p[1] * (x - 20) * (x - 20), spread_y += p[1] * (y - 20) * (y - 20);
            other += std::abs(p[0]) + std::abs(p[2]);
        }
    CHECK(total == doctest::Approx(1));
    CHECK(other == 0);
    CHECK(spread_x == doctest::Approx(4).epsilon(0.03));
    CHECK(spread_y == doctest::Approx(spread_x));

    float one[3] = {1, 2, 3};
    gaussian_blur(one, 1, 1, 3);
    CHECK(one[2] == doctest::Approx(3));
}

TEST_CASE("a smooth field has its deviation and no jumps") {
    Random random(6);
    const auto field = fractal_field(300, 300, 15, 2, 1, random);
    double sum = 0, square = 0, jump = 0;
    for (std::size_t i = 0; i < field.size(); ++i) sum += field[i], square += double(field[i]) * field[i];
    for (std::size_t i = 1; i < field.size(); ++i)
        if (i % 300) jump = std::max(jump, double(std::abs(field[i] - field[i - 1])));
    CHECK(std::sqrt(square / double(field.size())) == doctest::Approx(2).epsilon(0.15));
    CHECK(std::abs(sum / double(field.size())) < 0.5);
    CHECK(jump < 1);
}

TEST_CASE("drawing uses as many words for any config, and draws nothing where nothing is allowed") {
    AugmentConfig all;
    all.flip = all.rot90 = true;
    all.rotate = all.blur = all.noise = 1, all.scale = 1.5f;
    Random a(5), b(5);
    const Augmentation none = draw_augmentation({}, a), some = draw_augmentation(all, b);
    CHECK(a.state() == b.state());
    CHECK_FALSE(none.flip);
    CHECK(none.quarter_turns == 0);
    CHECK(none.angle == 0);
    CHECK(none.zoom == 1);
    CHECK(none.gamma == 1);
    CHECK(none.blur == 0);
    CHECK(some.blur > 0);
    CHECK(some.angle != 0);

    int flips = 0, turns[4] = {};
    for (int i = 0; i < 4000; ++i) {
        const Augmentation drawn = draw_augmentation(all, b);
        flips += drawn.flip;
        ++turns[drawn.quarter_turns];
        CHECK_MESSAGE(drawn.zoom == doctest::Approx(1.0833f).epsilon(0.385), "zoom out of 1/1.5..1.5");
    }
    CHECK(std::abs(flips - 2000) < 160);
    for (int count : turns) CHECK(std::abs(count - 1000) < 140);
}

TEST_CASE("a config out of range is refused by name") {
    AugmentConfig bad;
    bad.scale = 0.5f;
    CHECK_THROWS_WITH_AS(check(bad), "[augment] scale: expected a value from 1 to 4, got 0.5", Error);
    bad.scale = 1, bad.noise = NAN;
    CHECK_THROWS_AS(check(bad), Error);
    CHECK_NOTHROW(check(AugmentConfig()));
}
