#include "kernels/norm/batch_norm.h"

#include "tests/kernels/batch_norm_reference.h"
#include "tests/kernels/deterministic.h"

using namespace karyon;
using namespace karyon::kernels;
using namespace karyon::test;

namespace {

constexpr Activation all_activations[] = {Activation::none, Activation::relu, Activation::silu, Activation::sigmoid};

struct Size {
    std::int64_t rows;
    int channels;
};
constexpr Size sizes[] = {{1, 1}, {1, 5}, {3, 1}, {7, 6}, {37, 24}, {1000, 3}, {4099, 16}, {517, 144}, {70, 1793}};

/// Every array of a problem. Statistics are not those of x unless asked for, so that a kernel which computed its own
/// shows.
struct Problem {
    BatchNormShape shape;
    std::vector<float> x, mean, variance, gamma, beta, dy;

    Problem(Size size, Activation f, std::uint64_t seed, bool of_batch) : shape{size.rows, size.channels, 1e-3f, f} {
        const auto channels = static_cast<std::size_t>(size.channels);
        x = random_values(static_cast<std::size_t>(size.rows) * channels, seed, -2, 3);
        dy = random_values(x.size(), seed + 1);
        mean = random_values(channels, seed + 2);
        variance = random_values(channels, seed + 3, 0.25f, 2);
        gamma = random_values(channels, seed + 4, -1.5f, 1.5f);
        beta = random_values(channels, seed + 5);
        if (!of_batch) return;
        const Statistics s = statistics_of(shape.channels, to_double(x));
        std::copy(s.mean.begin(), s.mean.end(), mean.begin());
        std::copy(s.variance.begin(), s.variance.end(), variance.begin());
    }

    std::vector<double> reference_forward(const std::vector<double>& at, const Statistics& s,
                                          const std::vector<double>& scale, const std::vector<double>& shift) const {
        return batch_norm_reference(shape, at, s, {scale, shift});
    }
    Statistics given() const { return {to_double(mean), to_double(variance)}; }
};

struct Gradients {
    Guarded dx, dgamma, dbeta;
};

constexpr float prefilled = 0.75f;

Gradients backward(const Problem& p, bool frozen) {
    Stream stream;
    const std::vector<float> before(p.gamma.size(), prefilled);
    Gradients g{Guarded(p.x.size()), Guarded(before), Guarded(before)};
    const auto function = frozen ? cpu::batch_norm_backward_frozen : cpu::batch_norm_backward;
    const Guarded x(p.x), dy(p.dy);
    function(stream, p.shape, x.data(), p.mean.data(), p.variance.data(), p.gamma.data(), p.beta.data(), dy.data(),
             g.dx.data(), g.dgamma.data(), g.dbeta.data());
    CHECK(g.dx.intact());
    CHECK(g.dgamma.intact());
    CHECK(g.dbeta.intact());
    return g;
}

/// The textbook gradient in double, from the given statistics.
void check_backward(const Problem& p, const Gradients& got, bool frozen) {
    const BatchNormGradients expected = batch_norm_backward_reference(
        p.shape, to_double(p.x), p.given(), {to_double(p.gamma), to_double(p.beta)}, to_double(p.dy), frozen);
    const auto added = [](std::vector<double> gradient) {
        for (double& value : gradient) value += static_cast<double>(prefilled);
        return gradient;
    };
    check_close(got.dx, expected.dx, 1e-5, 1e-5);
    check_close(got.dgamma, added(expected.dgamma), 1e-5, 2e-5);
    check_close(got.dbeta, added(expected.dbeta), 1e-5, 2e-5);
}

}  // namespace

TEST_CASE("batch norm forward agrees with double precision") {
    Stream stream;
    for (const Size size : sizes)
        for (const Activation f : all_activations) {
            CAPTURE(size.rows);
            CAPTURE(size.channels);
            CAPTURE(name_of(f));
            const Problem p(size, f, 11, false);
            Guarded y(p.x.size());
            cpu::batch_norm_forward(stream, p.shape, p.x.data(), p.mean.data(), p.variance.data(), p.gamma.data(),
                                    p.beta.data(), y.data());
            CHECK(y.intact());
            check_close(y, p.reference_forward(to_double(p.x), p.given(), to_double(p.gamma), to_double(p.beta)), 1e-5,
                        2e-6);
        }
}

TEST_CASE("batch norm backward agrees with double precision, parameter gradients being added to") {
    for (const Size size : sizes)
        for (const Activation f : all_activations)
            for (const bool frozen : {false, true}) {
                CAPTURE(size.rows);
                CAPTURE(size.channels);
                CAPTURE(name_of(f));
                CAPTURE(frozen);
                const Problem p(size, f, 21, !frozen && size.rows > 3);
                // An element within rounding of relu's corner may fall on either side; none of these inputs is.
                check_backward(p, backward(p, frozen), frozen);
            }
}

TEST_CASE("batch norm gradients agree with central differences, through the statistics and without") {
    for (const Size size : {Size{37, 6}, Size{200, 3}})
        for (const Activation f : all_activations)
            for (const bool frozen : {false, true}) {
                CAPTURE(name_of(f));
                CAPTURE(frozen);
                const Problem p(size, f, 31, true);
                const Gradients got = backward(p, frozen);
                const auto x = to_double(p.x), gamma = to_double(p.gamma), beta = to_double(p.beta);
                check_gradient(got.dx,
                               [&](const auto& at) {
                                   return p.reference_forward(
                                       at, frozen ? p.given() : statistics_of(p.shape.channels, at), gamma, beta);
                               },
                               p.x, p.dy, {.abs = 3e-5, .step = 1e-5});
                std::vector<float> dgamma, dbeta;
                for (const float value : got.dgamma.values()) dgamma.push_back(value - prefilled);
                for (const float value : got.dbeta.values()) dbeta.push_back(value - prefilled);
                check_gradient(dgamma, [&](const auto& at) { return p.reference_forward(x, p.given(), at, beta); },
                               p.gamma, p.dy, {.abs = 3e-5, .step = 1e-5});
                check_gradient(dbeta, [&](const auto& at) { return p.reference_forward(x, p.given(), gamma, at); },
                               p.beta, p.dy, {.abs = 3e-5, .step = 1e-5});
            }
}

TEST_CASE("batch norm is exact on integers") {
    Stream stream;
    for (const Size size : {Size{64, 6}, Size{4096, 16}, Size{1024, 48}}) {
        Problem p(size, Activation::relu, 41, false);
        p.shape.eps = 0.25f;
        p.x = integer_values(p.x.size(), 42);
        p.dy = integer_values(p.dy.size(), 43);
        p.mean = integer_values(p.mean.size(), 44);
        p.gamma = integer_values(p.gamma.size(), 45);
        p.beta = integer_values(p.beta.size(), 46);
        p.variance.assign(p.variance.size(), 0.75f);  // a deviation of 1
        Guarded y(p.x.size());
        cpu::batch_norm_forward(stream, p.shape, p.x.data(), p.mean.data(), p.variance.data(), p.gamma.data(),
                                p.beta.data(), y.data());
        check_close(y, p.reference_forward(to_double(p.x), p.given(), to_double(p.gamma), to_double(p.beta)), 0, 0);

        const Gradients got = backward(p, true);
        std::vector<double> dx(p.x.size()), dgamma(p.gamma.size(), prefilled), dbeta(p.gamma.size(), prefilled);
        for (std::size_t i = 0; i < p.x.size(); ++i) {
            const std::size_t c = i % p.gamma.size();
            const float d = p.x[i] - p.mean[c], g = d * p.gamma[c] + p.beta[c] > 0 ? p.dy[i] : 0;
            dx[i] = static_cast<double>(p.gamma[c] * g);
            dgamma[c] += static_cast<double>(g * d);
            dbeta[c] += static_cast<double>(g);
        }
        check_close(got.dx, dx, 0, 0);
        check_close(got.dgamma, dgamma, 0, 0);
        check_close(got.dbeta, dbeta, 0, 0);
    }
}

TEST_CASE("batch norm backward in place of dy and without parameter gradients gives the same bits") {
    Stream stream;
    const Problem p({517, 24}, Activation::silu, 51, true);
    std::vector<float> in_place = p.dy;
    cpu::batch_norm_backward(stream, p.shape, p.x.data(), p.mean.data(), p.variance.data(), p.gamma.data(),
                             p.beta.data(), in_place.data(), in_place.data(), nullptr, nullptr);
    check_identical(in_place, backward(p, false).dx);
}

TEST_CASE("batch norm does not depend on the number of threads") {
    for (const Size size : {Size{4099, 16}, Size{517, 144}})
        for (const bool frozen : {false, true}) {
            const Problem p(size, Activation::silu, 61, true);
            check_deterministic([&] {
                Stream stream;
                std::vector<float> all(p.x.size());
                cpu::batch_norm_forward(stream, p.shape, p.x.data(), p.mean.data(), p.variance.data(), p.gamma.data(),
                                        p.beta.data(), all.data());
                const Gradients got = backward(p, frozen);
                for (const Guarded* part : {&got.dx, &got.dgamma, &got.dbeta})
                    all.insert(all.end(), part->values().begin(), part->values().end());
                return all;
            });
        }
}
