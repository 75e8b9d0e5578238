#include "kernels/loss/binary_cross_entropy.h"

#include "tests/kernels/deterministic.h"
#include "tests/kernels/loss_reference.h"

using namespace karyon;
using namespace karyon::kernels;
using namespace karyon::test;

namespace {

double reference(const std::vector<double>& x, const std::vector<float>& t) {
    return cross_entropy_reference(x, to_double(t));
}

struct Result {
    Guarded loss{1}, dlogits;
};

Result run(std::span<const float> logits, In target, float dloss = 1) {
    Stream stream;
    const auto count = static_cast<std::int64_t>(logits.size());
    const Guarded x(logits);
    Result r{.dlogits = Guarded(logits.size())};
    cpu::binary_cross_entropy_forward(stream, count, x.data(), target, r.loss.data());
    cpu::binary_cross_entropy_backward(stream, count, x.data(), target, &dloss, r.dlogits.data());
    CHECK(r.loss.intact());
    CHECK(r.dlogits.intact());
    return r;
}

}  // namespace

TEST_CASE("binary cross-entropy agrees with double precision and with differences") {
    for (const std::size_t size : {1u, 7u, 129u, 16384u, 49157u}) {
        CAPTURE(size);
        const std::vector<float> x = random_values(size, 1, -9, 9), t = random_values(size, 2, 0, 1), dloss = {2.5f};
        const Result got = run(x, t.data(), dloss[0]);
        check_close(got.loss, std::vector<double>{reference(to_double(x), t)}, 1e-6, 0);
        check_close(got.dlogits, cross_entropy_gradient_reference(to_double(x), to_double(t), 2.5), 1e-5, 1e-7);
        if (size <= 129)
            check_gradient(got.dlogits, [&](const auto& at) { return std::vector<double>{reference(at, t)}; }, x, dloss,
                           {.rel = 1e-5, .abs = 1e-7});
    }
}

TEST_CASE("binary cross-entropy takes byte masks as it takes floats") {
    const std::vector<float> x = random_values(16391, 3, -5, 5);
    Random random(4);
    std::vector<std::uint8_t> bytes;
    for (std::size_t i = 0; i < x.size(); ++i) bytes.push_back(static_cast<std::uint8_t>(random.integer(0, 1)));
    const std::vector<float> floats(bytes.begin(), bytes.end());
    const Result a = run(x, bytes.data()), b = run(x, floats.data());
    check_identical(a.loss, b.loss);
    check_identical(a.dlogits, b.dlogits);
}

TEST_CASE("binary cross-entropy of large logits neither overflows nor loses the small end") {
    for (const float x : {-1e4f, -80.0f, -20.0f, -1.0f, 0.0f, 1.0f, 20.0f, 80.0f, 1e4f})
        for (const float t : {0.0f, 1.0f}) {
            CAPTURE(x);
            CAPTURE(t);
            const std::vector<float> logit = {x}, target = {t};
            check_close(run(logit, target.data()).loss, std::vector<double>{reference(to_double(logit), target)}, 5e-7,
                        1e-40);
        }
}

TEST_CASE("binary cross-entropy does not depend on the number of threads") {
    const std::vector<float> x = random_values(100003, 5, -5, 5), t = random_values(100003, 6, 0, 1);
    check_deterministic([&] {
        const Result got = run(x, t.data());
        std::vector<float> all(got.dlogits.values().begin(), got.dlogits.values().end());
        all.push_back(got.loss.data()[0]);
        return all;
    });
}
