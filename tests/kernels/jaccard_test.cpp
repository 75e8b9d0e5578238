#include "kernels/loss/jaccard.h"

#include "tests/kernels/deterministic.h"
#include "tests/kernels/loss_reference.h"

using namespace karyon;
using namespace karyon::kernels;
using namespace karyon::test;

namespace {

constexpr std::size_t sizes[] = {1, 7, 64, 16384, 16384 * 3 + 5};

struct Targets {
    std::vector<std::uint8_t> bytes;
    std::vector<float> floats;
};

Targets random_target(std::size_t count, std::uint64_t seed) {
    Random random(seed);
    Targets t;
    for (std::size_t i = 0; i < count; ++i) t.bytes.push_back(static_cast<std::uint8_t>(random.integer(0, 1)));
    t.floats.assign(t.bytes.begin(), t.bytes.end());
    return t;
}

double reference_loss(const std::vector<double>& x, const std::vector<float>& t, float smooth) {
    return jaccard_reference(jaccard_sums_reference(x, to_double(t)), static_cast<double>(smooth));
}

struct Result {
    Guarded sums{3}, loss{1}, dlogits;
};

Result run(const JaccardShape& shape, std::span<const float> logits, In target, float dloss = 1) {
    Stream stream;
    const Guarded x(logits);
    Result r{.dlogits = Guarded(logits.size())};
    cpu::jaccard_forward(stream, shape, x.data(), target, r.sums.data(), r.loss.data());
    cpu::jaccard_backward(stream, shape, x.data(), target, r.sums.data(), &dloss, r.dlogits.data());
    for (const Guarded* part : {&r.sums, &r.loss, &r.dlogits}) CHECK(part->intact());
    return r;
}

JaccardShape shape_of(std::size_t count, float smooth = 1e-5f) { return {static_cast<std::int64_t>(count), smooth}; }

}  // namespace

TEST_CASE("soft Jaccard agrees with double precision for both forms of target") {
    for (const std::size_t size : sizes) {
        CAPTURE(size);
        const std::vector<float> x = random_values(size, 1, -5, 5);
        const Targets t = random_target(size, 2);
        const Result bytes = run(shape_of(size), x, t.bytes.data()), floats = run(shape_of(size), x, t.floats.data());
        const JaccardSums s = jaccard_sums_reference(to_double(x), to_double(t.floats));
        check_close(bytes.sums, std::vector<double>{s.intersection, s.prediction, s.target}, 1e-6, 0);
        check_close(bytes.loss, std::vector<double>{reference_loss(to_double(x), t.floats, 1e-5f)}, 1e-6, 1e-7);
        check_identical(floats.sums, bytes.sums);
        check_identical(floats.loss, bytes.loss);
        check_identical(floats.dlogits, bytes.dlogits);
    }
}

TEST_CASE("soft Jaccard gradient agrees with central differences") {
    for (const float smooth : {1e-5f, 1.0f}) {
        const std::vector<float> x = random_values(300, 3, -4, 4), dloss = {1.5f};
        std::vector<float> t = random_values(300, 4, 0, 1);  // soft targets
        const Result got = run(shape_of(300, smooth), x, t.data(), dloss[0]);
        const std::vector<double> logits = to_double(x), soft = to_double(t);
        check_close(got.dlogits,
                    jaccard_gradient_reference(logits, soft, jaccard_sums_reference(logits, soft),
                                               static_cast<double>(smooth), 1.5),
                    1e-5, 1e-8);
        check_gradient(got.dlogits, [&](const auto& at) { return std::vector<double>{reference_loss(at, t, smooth)}; },
                       x, dloss, {.rel = 1e-5, .abs = 1e-8});
    }
}

TEST_CASE("soft Jaccard of certain predictions is exact") {
    // 3 true positives, 2 false positives, 1 false negative, 4 true negatives.
    const std::vector<float> x = {200, 200, 200, 200, 200, -200, -200, -200, -200, -200};
    const std::vector<std::uint8_t> t = {1, 1, 1, 0, 0, 1, 0, 0, 0, 0};
    const Result got = run(shape_of(10, 1.0f), x, t.data());
    check_identical(got.sums, std::vector<float>{3, 5, 4});
    check_identical(got.loss, std::vector<float>{3.0f / 7});
    for (const float gradient : got.dlogits.values()) CHECK(std::abs(gradient) < 1e-31f);
    // Logit 0 is p = 1/2: I = 5/2, sum p = 5, U = 5/2 + 5.
    const std::vector<std::uint8_t> ones_and_zeros = {1, 1, 1, 1, 1, 0, 0, 0, 0, 0};
    check_identical(run(shape_of(10, 0.5f), std::vector<float>(10), ones_and_zeros.data()).loss,
                    std::vector<float>{5.0f / 8});
}

TEST_CASE("soft Jaccard of empty and full masks") {
    const std::vector<float> low(1000, -200.0f), high(1000, 200.0f), unsure(1000, 0.0f);
    const std::vector<std::uint8_t> empty(1000, 0), full(1000, 1);
    check_identical(run(shape_of(1000), high, full.data()).loss, std::vector<float>{0});
    check_close(run(shape_of(1000), high, empty.data()).loss, std::vector<double>{1}, 1e-7, 0);
    check_close(run(shape_of(1000), low, full.data()).loss, std::vector<double>{1}, 1e-7, 0);
    const Result got = run(shape_of(1000), unsure, empty.data());
    check_close(got.loss, std::vector<double>{1 - 1e-5 / (500 + 1e-5)}, 1e-7, 0);
    for (const float gradient : got.dlogits.values()) CHECK(std::isfinite(gradient));
    const Result certain = run(shape_of(1000), low, empty.data());
    check_close(certain.loss, std::vector<double>{0}, 0, 1e-29);
    for (const float gradient : certain.dlogits.values()) CHECK(std::abs(gradient) < 1e-31f);
}

TEST_CASE("soft Jaccard does not depend on the number of threads") {
    const std::vector<float> x = random_values(100003, 5, -5, 5);
    const Targets t = random_target(x.size(), 6);
    check_deterministic([&] {
        const Result got = run(shape_of(x.size()), x, t.bytes.data());
        std::vector<float> all(got.dlogits.values().begin(), got.dlogits.values().end());
        all.insert(all.end(), got.sums.values().begin(), got.sums.values().end());
        all.push_back(got.loss.data()[0]);
        return all;
    });
}

TEST_CASE("soft Jaccard names a target of another type") {
    const std::vector<std::int32_t> t = {1};
    CHECK_THROWS_WITH_AS(run(shape_of(1), std::vector<float>(1), t.data()),
                         "[jaccard] expected a target of u8 or f32 elements, got i32", Error);
}
