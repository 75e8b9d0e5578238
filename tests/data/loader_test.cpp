#include "data/loader.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "data/synth.h"
#include "kernels/error.h"

using namespace karyon;

namespace {

using Cases = std::vector<TrainingCase>;

std::shared_ptr<const Cases> sections(int count) {
    auto cases = std::make_shared<Cases>();
    for (int i = 0; i < count; ++i) {
        SynthConfig config;
        config.width = 70 + 9 * i, config.height = 90 - 7 * i;
        SynthImage synth = make_synthetic(config, i);
        cases->push_back({"section " + std::to_string(i), "none", std::move(synth.image), std::move(synth.mask)});
    }
    return cases;
}

/// Image i is all of level i, its mask the parity of the column: places can be read off.
std::shared_ptr<const Cases> marked(int count, int width, int height) {
    auto cases = std::make_shared<Cases>();
    for (int i = 0; i < count; ++i) {
        Image image(width, height, std::uint8_t(i));
        for (int y = 0; y < height; ++y)
            for (int x = 0; x < width; ++x) image.at(x, y)[1] = std::uint8_t(x), image.at(x, y)[2] = std::uint8_t(y);
        cases->push_back({std::to_string(i), "none", std::move(image), Mask(width, height)});
    }
    return cases;
}

LoaderConfig small() {
    LoaderConfig config;
    config.geometry.local = 24, config.geometry.margin = 8;
    config.batch = 3, config.seed = 99;
    config.augment.flip = config.augment.rot90 = true;
    config.augment.rotate = 0.5f, config.augment.scale = 1.2f, config.augment.elastic = 2;
    config.augment.stain_gain = 0.1f, config.augment.noise = 0.5f;
    return config;
}

/// Levels as they are: mean 0, std 1 / 255.
LoaderConfig plain_levels() {
    LoaderConfig config;
    config.geometry.local = 16, config.geometry.margin = 0, config.geometry.want_global = false;
    config.batch = 5;
    for (int c = 0; c < 3; ++c) config.scaling.mean[c] = 0, config.scaling.std[c] = 1 / 255.f;
    return config;
}

bool same(const Tensor& a, const Tensor& b) {
    if (a.shape() != b.shape() || a.dtype() != b.dtype()) return false;
    const auto *x = static_cast<const std::byte*>(a.raw()), *y = static_cast<const std::byte*>(b.raw());
    return std::equal(x, x + a.bytes(), y);
}

bool same(const Batch& a, const Batch& b) {
    return a.index == b.index && same(a.local, b.local) && same(a.global, b.global) && same(a.target, b.target);
}

}  // namespace

TEST_CASE("any number of workers, any prefetch and any start give the same bits") {
    const auto cases = sections(4);
    LoaderConfig config = small();
    config.workers = 0;
    Loader reference(cases, config);
    std::vector<Batch> batches;
    for (int i = 0; i < 12; ++i) batches.push_back(reference.next());
    for (auto [workers, prefetch] : {std::pair{1, 1}, {1, 4}, {3, 2}, {4, 7}}) {
        config.workers = workers, config.prefetch = prefetch;
        Loader loader(cases, config);
        for (const Batch& batch : batches) CHECK(same(loader.next(), batch));
        Loader resumed(cases, config, 7);
        for (int i = 7; i < 12; ++i) CHECK(same(resumed.next(), batches[i]));
    }
    config.seed = 100;
    CHECK_FALSE(same(Loader(cases, config).next(), batches[0]));
    CHECK_FALSE(same(batches[0].local, batches[4].local));
}

TEST_CASE("shapes and types, and views that are not wanted are undefined") {
    const auto cases = sections(1);
    LoaderConfig config = small();
    const Batch both = Loader(cases, config).next();
    CHECK(both.local.shape() == Shape{3, 24, 24, 3});
    CHECK(both.global.shape() == Shape{3, 40, 40, 3});
    CHECK(both.target.shape() == Shape{3, 24, 24, 1});
    CHECK(both.target.dtype() == DType::u8);
    config.geometry.want_global = false;
    const Batch local = Loader(cases, config).next();
    CHECK(local.local.defined());
    CHECK_FALSE(local.global.defined());
    config.geometry.want_global = true, config.geometry.want_local = false;
    const Batch wide = Loader(cases, config).next();
    CHECK_FALSE(wide.local.defined());
    CHECK(same(wide.global, both.global));
    CHECK(same(wide.target, both.target));
}

TEST_CASE("every image comes once a round, rounds differ in order, places cover the image evenly") {
    const int images = 7;
    const auto cases = marked(images, 20, 18);
    Loader loader(cases, plain_levels());
    std::vector<int> order;
    std::map<std::pair<int, int>, int> places;
    for (int b = 0; b < 280; ++b) {
        const Batch batch = loader.next();
        for (int s = 0; s < 5; ++s) {
            const float* first = batch.local.data<float>() + s * 16 * 16 * 3;
            order.push_back(int(std::lround(first[0])));
            ++places[{int(std::lround(first[1])), int(std::lround(first[2]))}];
        }
    }
    std::set<std::vector<int>> orders;
    for (std::size_t i = 0; i + images <= order.size(); i += images) {
        std::vector<int> round(order.begin() + std::ptrdiff_t(i), order.begin() + std::ptrdiff_t(i) + images);
        orders.insert(round);
        std::ranges::sort(round);
        for (int k = 0; k < images; ++k) CHECK(round[k] == k);
    }
    CHECK(orders.size() > 150);
    CHECK(places.size() == 5 * 3);
    for (const auto& [place, count] : places) CHECK(std::abs(count - 1400 / 15.0) < 5 * std::sqrt(1400 / 15.0));
}

TEST_CASE("an image smaller than the patch stands in its middle, black around") {
    const auto cases = marked(1, 6, 4);
    const Batch batch = Loader(cases, plain_levels()).next();
    for (int s = 0; s < 5; ++s)
        for (int y = 0; y < 16; ++y)
            for (int x = 0; x < 16; ++x) {
                const float* p = batch.local.data<float>() + ((s * 16 + y) * 16 + x) * 3;
                const bool on = x >= 5 && x < 11 && y >= 6 && y < 10;
                CHECK(p[1] == doctest::Approx(on ? x - 5 : 0));
            }
}

TEST_CASE("what fails in a worker reaches next(), and again") {
    LoaderConfig config = small();
    config.geometry.local = 256;
    config.batch = 1 << 30;
    config.workers = 2;
    Loader loader(sections(1), config);
    CHECK_THROWS_AS(loader.next(), Error);
    CHECK_THROWS_AS(loader.next(), Error);
}

TEST_CASE("a loader that nobody reads can be destroyed at any moment") {
    const auto cases = sections(2);
    LoaderConfig config = small();
    config.workers = 3, config.batch = 64;
    for (int i = 0; i < 20; ++i) {
        Loader loader(cases, config);
        if (i % 3 == 0) loader.next();
    }
}

TEST_CASE("wrong cases and configs are refused by name") {
    CHECK_THROWS_AS(Loader(nullptr, small()), Error);
    CHECK_THROWS_AS(Loader(std::make_shared<Cases>(), small()), Error);
    auto cases = std::make_shared<Cases>();
    cases->push_back({"odd one", "none", Image(10, 10), Mask(9, 10)});
    CHECK_THROWS_WITH_AS(Loader(cases, small()), "[odd one] expected a mask of 10x10 as the image, got 9x10", Error);
    LoaderConfig bad = small();
    bad.batch = 0;
    CHECK_THROWS_AS(Loader(sections(1), bad), Error);
    bad = small(), bad.prefetch = 0;
    CHECK_THROWS_AS(Loader(sections(1), bad), Error);
    bad = small(), bad.augment.scale = 0;
    CHECK_THROWS_AS(Loader(sections(1), bad), Error);
    CHECK_THROWS_AS(Loader(sections(1), small(), -1), Error);
}
