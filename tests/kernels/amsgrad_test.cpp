#include "kernels/optim/amsgrad.h"

#include <array>
#include <limits>

#include "tests/kernels/amsgrad_reference.h"
#include "tests/kernels/deterministic.h"

using namespace karyon;
using namespace karyon::kernels;
using namespace karyon::test;

namespace {

struct State {
    Guarded param, m, v, vmax;

    explicit State(std::span<const float> start)
        : param(start), m(std::vector<float>(start.size())), v(m.values()), vmax(m.values()) {}
    void update(AmsgradStep step, std::span<const float> grad) {
        Stream stream;
        step.count = static_cast<std::int64_t>(grad.size());
        cpu::amsgrad(stream, step, grad.data(), param.data(), m.data(), v.data(), vmax.data());
        for (const Guarded* part : {&param, &m, &v, &vmax}) CHECK(part->intact());
    }
};

}  // namespace

TEST_CASE("three AMSGrad steps are those worked out by hand, for both places of eps") {
    // Step 1: g = 4 / 2 = 2, m = 1, v = vmax = 1, and param = 0.9375 - d with
    //   pytorch d = 0.125 / 0.5 / (1 / 0.5 + 0.25) = 1 / 9;  keras d = 0.125 * 0.5 / 0.5 / (1 + 0.25) = 1 / 10.
    AmsgradStep step{
        .learning_rate = 0.125f, .beta1 = 0.5f, .beta2 = 0.75f, .eps = 0.25f, .weight_decay = 0.5f, .grad_scale = 0.5f};
    const float grads[3] = {4, -1, 0.5f};
    const double pytorch[3] = {0.9375 - 1.0 / 9, 0.751090305570928, 0.6813293295188381};
    const double keras[3] = {0.8375, 0.763108322407795, 0.6936899003633856};
    for (const EpsPlacement placement : {EpsPlacement::pytorch, EpsPlacement::keras}) {
        step.placement = placement;
        State state(std::vector<float>{1});
        for (step.step = 1; step.step <= 3; ++step.step) {
            state.update(step, {&grads[step.step - 1], 1});
            const double expected = (placement == EpsPlacement::keras ? keras : pytorch)[step.step - 1];
            check_close(state.param, std::vector<double>{expected}, 3e-7, 0);
        }
        // v falls below its maximum, which is kept: (0.75 * 1 + 0.25 * 0.25) * 0.75 + 0.25 / 16.
        check_identical(state.m, std::vector<float>{0.25f});
        check_identical(state.v, std::vector<float>{0.625f});
        check_identical(state.vmax, std::vector<float>{1});
    }
}

TEST_CASE("AMSGrad agrees with double precision over many steps and odd sizes") {
    for (const EpsPlacement placement : {EpsPlacement::pytorch, EpsPlacement::keras})
        for (const std::size_t size : {1u, 13u, 16384u + 7u}) {
            CAPTURE(size);
            const std::vector<float> start = random_values(size, 1);
            State state(start);
            std::vector<AmsgradReference> reference;
            for (const float value : start) reference.push_back({static_cast<double>(value)});
            AmsgradStep step{.weight_decay = 0.01f, .grad_scale = 0.5f, .placement = placement};
            for (step.step = 1; step.step <= 10; ++step.step) {
                const auto seed = static_cast<std::uint64_t>(10 + step.step);
                const std::vector<float> grad = random_values(size, seed, -0.1f, 0.1f);
                state.update(step, grad);
                for (std::size_t i = 0; i < size; ++i) reference[i].update(step, static_cast<double>(grad[i]));
            }
            std::vector<double> param, m, v, vmax;
            for (const AmsgradReference& r : reference) {
                param.push_back(r.param);
                m.push_back(r.m);
                v.push_back(r.v);
                vmax.push_back(r.vmax);
            }
            check_close(state.param, param, 1e-6, 1e-7);
            check_close(state.m, m, 1e-6, 1e-8);
            check_close(state.v, v, 2e-6, 1e-12);
            check_close(state.vmax, vmax, 2e-6, 1e-12);
        }
}

TEST_CASE("the two places of eps differ where eps counts") {
    for (const float grad : {1e-6f, 1e-8f}) {
        State pytorch(std::vector<float>{0}), keras(std::vector<float>{0});
        AmsgradStep step{.eps = 1e-7f};
        pytorch.update(step, {&grad, 1});
        step.placement = EpsPlacement::keras;
        keras.update(step, {&grad, 1});
        CHECK(std::abs(pytorch.param.data()[0]) > 1.5 * std::abs(keras.param.data()[0]));
    }
}

TEST_CASE("a NaN gradient reaches the parameter and the moments") {
    const std::vector<float> grad = {1, NAN, 1};
    State state(std::vector<float>{1, 1, 1});
    state.update({}, grad);
    for (const Guarded* part : {&state.param, &state.m, &state.v, &state.vmax}) {
        CHECK(std::isnan(part->data()[1]));
        CHECK(std::isfinite(part->data()[0]));
        CHECK(std::isfinite(part->data()[2]));
    }
}

TEST_CASE("the moving average is exact where its weights are") {
    Stream stream;
    for (const std::size_t size : {1u, 17u, 40001u}) {
        const std::vector<float> param = integer_values(size, 2), start = integer_values(size, 3);
        std::vector<float> expected(size);
        for (std::size_t i = 0; i < size; ++i) expected[i] = 0.75f * start[i] + 0.25f * param[i];
        Guarded average(start);
        cpu::exponential_moving_average(stream, static_cast<std::int64_t>(size), 0.75f, param.data(), average.data());
        check_close(average, to_double(expected), 0, 0);
        CHECK(average.intact());
    }
}

TEST_CASE("the sum of squares is taken in double") {
    Stream stream;
    for (const std::size_t size : {1u, 19u, 16384u * 3u + 1u}) {
        const std::vector<float> integers = integer_values(size, 4), large = random_values(size, 5, 1e18f, 1e19f);
        double exact = 0, sum = 0;
        for (const float value : integers) exact += static_cast<double>(value) * static_cast<double>(value);
        for (const float value : large) sum += static_cast<double>(value) * static_cast<double>(value);
        const auto count = static_cast<std::int64_t>(size);
        CHECK(cpu::sum_of_squares(stream, count, integers.data()) == exact);
        CHECK(cpu::sum_of_squares(stream, count, large.data()) == doctest::Approx(sum).epsilon(1e-13));
    }
    std::vector<float> values(20000, 1.0f);
    values[16390] = std::numeric_limits<float>::infinity();
    CHECK(std::isinf(cpu::sum_of_squares(stream, 20000, values.data())));
    values[3] = NAN;
    CHECK(std::isnan(cpu::sum_of_squares(stream, 20000, values.data())));
}

TEST_CASE("the optimiser does not depend on the number of threads") {
    const std::vector<float> start = random_values(100003, 6), grad = random_values(100003, 7);
    check_deterministic([&] {
        Stream stream;
        State state(start);
        state.update({.weight_decay = 0.01f}, grad);
        std::vector<float> all(state.param.values().begin(), state.param.values().end());
        cpu::exponential_moving_average(stream, 100003, 0.99f, grad.data(), all.data());
        const double sum = cpu::sum_of_squares(stream, 100003, grad.data());
        const auto words = std::bit_cast<std::array<float, 2>>(sum);
        all.insert(all.end(), words.begin(), words.end());
        return all;
    });
}
