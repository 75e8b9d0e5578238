#include "tests/kernels/fused_excite_reference.h"
#include "tests/kernels/reference.h"

using namespace karyon;
using namespace karyon::kernels;
using namespace karyon::test;

namespace {

std::vector<float> narrowed(const std::vector<double>& values) { return {values.begin(), values.end()}; }

}  // namespace

TEST_CASE("the gradients of batch norm, SiLU and squeeze-excite in a row, in double, agree with central differences") {
    for (const SqueezeExciteShape& shape : {SqueezeExciteShape{2, 6, 5, 2}, SqueezeExciteShape{3, 35, 7, 3}})
        for (const bool frozen : {false, true}) {
            CAPTURE(shape.channels);
            CAPTURE(frozen);
            const BatchNormShape bn = batch_norm_shape(shape, 1e-3f, Activation::silu);
            const auto channels = static_cast<std::size_t>(shape.channels);
            const auto reduced = static_cast<std::size_t>(shape.reduced);
            const auto count = static_cast<std::size_t>(bn.rows) * channels;
            const auto d = random_values(count, 1, -2, 3), dy = random_values(count, 2);
            const auto gamma = random_values(channels, 3, -1.5f, 1.5f), beta = random_values(channels, 4);
            const auto w1 = random_values(channels * reduced, 5), b1 = random_values(reduced, 6);
            const auto w2 = random_values(channels * reduced, 7), b2 = random_values(channels, 8);
            const Statistics given{to_double(random_values(channels, 9)),
                                   to_double(random_values(channels, 10, 0.25f, 2))};
            const BatchNormParameters norm{to_double(gamma), to_double(beta)};
            const ExciteParameters excite{to_double(w1), to_double(b1), to_double(w2), to_double(b2)};
            const auto statistics = [&](const std::vector<double>& at) {
                return frozen ? given : statistics_of(shape.channels, at);
            };

            const std::vector<double> x = to_double(d);
            const Gate forward = gate_reference(shape, batch_norm_reference(bn, x, statistics(x), norm), excite);
            const FusedExciteGradients got = fused_excite_backward_reference(shape, bn, x, statistics(x), norm, excite,
                                                                             forward, to_double(dy), frozen);
            const GradientCheck limits{.step = 1e-5};
            const auto check = [&](const std::vector<double>& gradient, const std::vector<float>& at, auto forward_of) {
                check_gradient(narrowed(gradient), forward_of, at, dy, limits);
            };
            const auto y = [&](const std::vector<double>& from, const BatchNormParameters& n,
                               const ExciteParameters& e) {
                return fused_excite_reference(shape, bn, from, statistics(from), n, e);
            };
            check(got.norm.dx, d, [&](const auto& at) { return y(at, norm, excite); });
            check(got.norm.dgamma, gamma, [&](const auto& at) { return y(x, {at, norm.beta}, excite); });
            check(got.norm.dbeta, beta, [&](const auto& at) { return y(x, {norm.gamma, at}, excite); });
            check(got.excite.dw1, w1, [&](const auto& at) {
                return y(x, norm, {at, excite.b1, excite.w2, excite.b2});
            });
            check(got.excite.db1, b1, [&](const auto& at) {
                return y(x, norm, {excite.w1, at, excite.w2, excite.b2});
            });
            check(got.excite.dw2, w2, [&](const auto& at) {
                return y(x, norm, {excite.w1, excite.b1, at, excite.b2});
            });
            check(got.excite.db2, b2, [&](const auto& at) {
                return y(x, norm, {excite.w1, excite.b1, excite.w2, at});
            });
        }
}
