#include "kernels/loss/confusion.h"

#include <array>

#include "tests/kernels/deterministic.h"

using namespace karyon;
using namespace karyon::kernels;
using namespace karyon::test;

namespace {

struct Result {
    std::array<std::int32_t, 4> counts{-1, -1, -1, -1};
    float dice = -1;
};

Result run(std::span<const float> logits, In target, float threshold = 0) {
    Stream stream;
    Result r;
    cpu::confusion(stream, static_cast<std::int64_t>(logits.size()), threshold, logits.data(), target, r.counts.data(),
                   &r.dice);
    return r;
}

}  // namespace

TEST_CASE("confusion counts of a hand-made mask, at and beside the threshold") {
    const std::vector<float> x = {0.5f, 2, 0.25f, 0.5f, -1, 0.49f, NAN};
    const std::vector<std::uint8_t> t = {1, 1, 1, 0, 0, 0, 1};
    const Result r = run(x, t.data(), 0.5f);
    CHECK(r.counts == std::array<std::int32_t, 4>{2, 1, 2, 2});
    CHECK(r.dice == 4.0f / 7);
    const std::vector<float> soft = {0.5f, 1, 0.75f, 0.49f, 0, 0.25f, 1};
    CHECK(run(x, soft.data(), 0.5f).counts == r.counts);
}

TEST_CASE("confusion of empty masks, and over many blocks") {
    const std::vector<float> low(40001, -1.0f);
    const std::vector<std::uint8_t> empty(40001, 0), full(40001, 1);
    CHECK(run(low, empty.data()).counts == std::array<std::int32_t, 4>{0, 0, 0, 40001});
    CHECK(run(low, empty.data()).dice == 1);
    CHECK(run(low, full.data()).counts == std::array<std::int32_t, 4>{0, 0, 40001, 0});
    CHECK(run(low, full.data()).dice == 0);
    const std::vector<float> x = random_values(40001, 1), t = integer_values(40001, 2, 0, 1);
    std::array<std::int32_t, 4> expected{};
    for (std::size_t i = 0; i < x.size(); ++i) ++expected[(x[i] >= 0 ? 0 : 2) + ((x[i] >= 0) == (t[i] == 1) ? 0 : 1)];
    const Result r = run(x, t.data());
    CHECK(r.counts == std::array<std::int32_t, 4>{expected[0], expected[1], expected[3], expected[2]});
    Stream stream;
    std::array<std::int32_t, 4> alone{};
    cpu::confusion(stream, 40001, 0, x.data(), t.data(), alone.data(), nullptr);
    CHECK(alone == r.counts);
}

TEST_CASE("confusion names a target of another type") {
    const std::vector<std::int32_t> t = {1};
    CHECK_THROWS_WITH_AS(run(std::vector<float>(1), t.data()),
                         "[confusion] expected a target of u8 or f32 elements, got i32", Error);
}
