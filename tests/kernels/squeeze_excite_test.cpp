#include "kernels/excite/squeeze_excite.h"

#include "tests/kernels/deterministic.h"
#include "tests/kernels/squeeze_excite_reference.h"

using namespace karyon;
using namespace karyon::kernels;
using namespace karyon::test;

namespace {

const SqueezeExciteShape shapes[] = {{1, 1, 1, 1},    {2, 1, 5, 2},     {1, 49, 1, 1},   {3, 35, 7, 3},
                                     {2, 4099, 6, 2}, {2, 257, 144, 6}, {1, 9, 1632, 68}};

using Doubles = std::vector<double>;

/// Inputs of a problem; the parameters in the order w1, b1, w2, b2.
struct Problem {
    SqueezeExciteShape shape;
    std::size_t batch, pixels, channels, reduced;
    std::vector<float> x, dy, w1, b1, w2, b2;

    explicit Problem(const SqueezeExciteShape& s, std::uint64_t seed)
        : shape(s),
          batch(static_cast<std::size_t>(s.batch)),
          pixels(static_cast<std::size_t>(s.pixels)),
          channels(static_cast<std::size_t>(s.channels)),
          reduced(static_cast<std::size_t>(s.reduced)),
          x(random_values(batch * pixels * channels, seed, -1, 2)),
          dy(random_values(x.size(), seed + 1)),
          w1(random_values(channels * reduced, seed + 2, -0.5f, 0.5f)),
          b1(random_values(reduced, seed + 3)),
          w2(random_values(channels * reduced, seed + 4, -0.5f, 0.5f)),
          b2(random_values(channels, seed + 5)) {}
};

Doubles reference(const Problem& p, const Doubles& x, const Doubles& w1, const Doubles& b1, const Doubles& w2,
                  const Doubles& b2) {
    return gated_reference(p.shape, x, gate_reference(p.shape, x, {w1, b1, w2, b2}).gate);
}

struct Forward32 {
    Guarded pooled, hidden, gate, y;
};

Forward32 forward(const Problem& p) {
    Stream stream;
    Forward32 r{Guarded(p.batch * p.channels), Guarded(p.batch * p.reduced), Guarded(p.batch * p.channels),
                Guarded(p.x.size())};
    cpu::squeeze_excite_gate(stream, p.shape, p.x.data(), p.w1.data(), p.b1.data(), p.w2.data(), p.b2.data(),
                             r.pooled.data(), r.hidden.data(), r.gate.data());
    cpu::squeeze_excite_apply(stream, p.shape, p.x.data(), r.gate.data(), r.y.data());
    for (const Guarded* part : {&r.pooled, &r.hidden, &r.gate, &r.y}) CHECK(part->intact());
    return r;
}

constexpr float prefilled = 0.25f;

/// dx, dw1, db1, dw2, db2, the last four being added to `prefilled`.
std::vector<Guarded> backward(const Problem& p, const Forward32& f) {
    Stream stream;
    std::vector<Guarded> g = {Guarded(p.x.size())};
    for (const auto* parameter : {&p.w1, &p.b1, &p.w2, &p.b2})
        g.emplace_back(std::vector<float>(parameter->size(), prefilled));
    cpu::squeeze_excite_backward(stream, p.shape, p.x.data(), p.w1.data(), p.w2.data(), f.pooled.data(),
                                 f.hidden.data(), f.gate.data(), p.dy.data(), g[0].data(), g[1].data(), g[2].data(),
                                 g[3].data(), g[4].data());
    for (const Guarded& part : g) CHECK(part.intact());
    return g;
}

std::vector<float> less_prefilled(const Guarded& gradient) {
    std::vector<float> values(gradient.values().begin(), gradient.values().end());
    for (float& value : values) value -= prefilled;
    return values;
}

}  // namespace

TEST_CASE("squeeze-excite agrees with double precision") {
    for (const SqueezeExciteShape& shape : shapes) {
        CAPTURE(shape.pixels);
        CAPTURE(shape.channels);
        const Problem p(shape, 1);
        const Doubles x = to_double(p.x), w1 = to_double(p.w1), b1 = to_double(p.b1), w2 = to_double(p.w2),
                      b2 = to_double(p.b2);
        const Gate expected = gate_reference(p.shape, x, {w1, b1, w2, b2});
        const Forward32 got = forward(p);
        check_close(got.pooled, expected.pooled, 1e-6, 1e-6);
        check_close(got.hidden, expected.hidden, 1e-5, 1e-5);
        check_close(got.gate, expected.gate, 1e-5, 1e-6);
        check_close(got.y, reference(p, x, w1, b1, w2, b2), 1e-5, 1e-6);
    }
}

TEST_CASE("squeeze-excite gradients agree with central differences, parameter gradients being added to") {
    for (const SqueezeExciteShape& shape :
         {shapes[0], shapes[1], shapes[2], shapes[3], SqueezeExciteShape{2, 64, 24, 6}}) {
        CAPTURE(shape.channels);
        const Problem p(shape, 11);
        const Doubles x = to_double(p.x), w1 = to_double(p.w1), b1 = to_double(p.b1), w2 = to_double(p.w2),
                      b2 = to_double(p.b2);
        const std::vector<Guarded> got = backward(p, forward(p));
        const GradientCheck check{.abs = 2e-5};
        check_gradient(
            got[0], [&](const auto& at) { return reference(p, at, w1, b1, w2, b2); }, p.x, p.dy, check);
        check_gradient(
            less_prefilled(got[1]), [&](const auto& at) { return reference(p, x, at, b1, w2, b2); }, p.w1, p.dy, check);
        check_gradient(
            less_prefilled(got[2]), [&](const auto& at) { return reference(p, x, w1, at, w2, b2); }, p.b1, p.dy, check);
        check_gradient(
            less_prefilled(got[3]), [&](const auto& at) { return reference(p, x, w1, b1, at, b2); }, p.w2, p.dy, check);
        check_gradient(
            less_prefilled(got[4]), [&](const auto& at) { return reference(p, x, w1, b1, w2, at); }, p.b2, p.dy, check);
    }
}

TEST_CASE("squeeze-excite gradients in double, which other tests rely on, agree with those in f32") {
    for (const SqueezeExciteShape& shape : {shapes[1], shapes[3], SqueezeExciteShape{2, 64, 24, 6}}) {
        const Problem p(shape, 12);
        const ExciteParameters parameters{to_double(p.w1), to_double(p.b1), to_double(p.w2), to_double(p.b2)};
        const Doubles x = to_double(p.x);
        const ExciteGradients expected = squeeze_excite_backward_reference(
            shape, x, parameters, gate_reference(shape, x, parameters), to_double(p.dy));
        const std::vector<Guarded> got = backward(p, forward(p));
        check_close(got[0], expected.dx, 1e-5, 1e-5);
        check_close(less_prefilled(got[1]), expected.dw1, 1e-5, 1e-5);
        check_close(less_prefilled(got[2]), expected.db1, 1e-5, 1e-5);
        check_close(less_prefilled(got[3]), expected.dw2, 1e-5, 1e-5);
        check_close(less_prefilled(got[4]), expected.db2, 1e-5, 1e-5);
    }
}

TEST_CASE("squeeze-excite is exact on integers: the mean, and the gate of zero weights") {
    Problem p({2, 4096, 20, 3}, 21);
    p.x = integer_values(p.x.size(), 22);
    std::fill(p.w2.begin(), p.w2.end(), 0.0f);
    std::fill(p.b2.begin(), p.b2.end(), 0.0f);  // the gate is 1/2 everywhere
    const Doubles x = to_double(p.x);
    const Gate expected =
        gate_reference(p.shape, x, {to_double(p.w1), to_double(p.b1), to_double(p.w2), to_double(p.b2)});
    const Forward32 got = forward(p);
    check_close(got.pooled, expected.pooled, 0, 0);
    check_close(got.gate, expected.gate, 0, 0);
    Doubles half(x);
    for (double& value : half) value /= 2;
    check_close(got.y, half, 0, 0);
}

TEST_CASE("squeeze-excite does not depend on the number of threads") {
    for (const SqueezeExciteShape& shape : {SqueezeExciteShape{2, 4099, 24, 6}, SqueezeExciteShape{1, 131, 960, 40}}) {
        const Problem p(shape, 31);
        check_deterministic([&] {
            const Forward32 f = forward(p);
            std::vector<float> all(f.y.values().begin(), f.y.values().end());
            for (const Guarded& part : backward(p, f))
                all.insert(all.end(), part.values().begin(), part.values().end());
            return all;
        });
    }
}

TEST_CASE("squeeze-excite backward in place of dy and without parameter gradients gives the same bits") {
    Stream stream;
    const Problem p({2, 35, 24, 6}, 41);
    const Forward32 f = forward(p);
    std::vector<float> dx = p.dy;
    cpu::squeeze_excite_backward(stream, p.shape, p.x.data(), p.w1.data(), p.w2.data(), f.pooled.data(),
                                 f.hidden.data(), f.gate.data(), dx.data(), dx.data(), nullptr, nullptr, nullptr,
                                 nullptr);
    check_identical(dx, backward(p, f)[0]);
}
