#include "optim/optimizer.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "optim/schedule.h"

using namespace karyon;

namespace {

/// Two parameters and a buffer.
struct Toy {
    Tensor a = Tensor::full({3}, 1), b = Tensor::full({2}, 2), statistics = Tensor::full({2}, 5);
    Arena arena{[this](const StateVisitor& visitor) {
        visitor("a", a, StateKind::parameter);
        visitor("b", b, StateKind::parameter);
        visitor("statistics", statistics, StateKind::buffer);
    }};
};

}  // namespace

TEST_CASE("arena: tensors become views, in order, 64 bytes apart") {
    Toy toy;
    CHECK(toy.arena.values().size() == 32);
    CHECK(toy.b.raw() == toy.arena.values().data<float>() + 16);
    CHECK(toy.b.data<float>()[1] == 2);
    toy.b.gradient().fill(3);
    CHECK(toy.arena.gradients().data<float>()[17] == 3);
    CHECK(toy.arena.buffers().data<float>()[0] == 5);
}

TEST_CASE("optimizer: the first AMSGrad step moves by the learning rate against the gradient's sign") {
    Toy toy;
    Optimizer optimizer(toy.arena, {.eps = 0});
    toy.a.gradient().fill(4);
    toy.b.gradient().fill(-0.01f);
    CHECK(optimizer.step(0.1f) == doctest::Approx(std::sqrt(3 * 16 + 2 * 1e-4)));
    CHECK(toy.a.data<float>()[0] == doctest::Approx(0.9));
    CHECK(toy.b.data<float>()[0] == doctest::Approx(2.1));
    CHECK(toy.a.gradient().data<float>()[0] == 0);
    CHECK(optimizer.steps() == 1);
}

TEST_CASE("optimizer: clipping scales to the norm; the gaps between parameters stay zero") {
    Toy toy;
    Optimizer optimizer(toy.arena, {.eps = 1, .grad_clip = 1});
    toy.a.gradient().fill(1e4f);
    optimizer.step(1);
    // Clipped to norm 1, each of the three is 1/sqrt(3); one step is g / (g + eps).
    CHECK(toy.a.data<float>()[0] == doctest::Approx(1 - 0.57735 / 1.57735).epsilon(1e-4));
    CHECK(toy.arena.values().data<float>()[5] == 0);
}

TEST_CASE("optimizer: a gradient that is not finite is named and changes nothing") {
    Toy toy;
    Optimizer optimizer(toy.arena, {});
    toy.b.gradient().data<float>()[1] = std::numeric_limits<float>::quiet_NaN();
    CHECK_THROWS_WITH_AS(optimizer.step(1), doctest::Contains("the first that is not is that of b (step 1)"), Error);
    CHECK(toy.a.data<float>()[0] == 1);
    CHECK(optimizer.steps() == 0);
}

TEST_CASE("optimizer: averages follow with a memory that grows") {
    Toy toy;
    Optimizer optimizer(toy.arena, {.eps = 0, .ema_decay = 0.9f});
    toy.a.gradient().fill(1);
    toy.statistics.fill(16);
    optimizer.step(0.5f);
    // decay = min(0.9, 2 / 11): mostly the new value.
    CHECK(optimizer.averaged_values().data<float>()[0] == doctest::Approx(2.0 / 11 * 1 + 9.0 / 11 * 0.5));
    CHECK(optimizer.averaged_buffers().data<float>()[0] == doctest::Approx(2.0 / 11 * 5 + 9.0 / 11 * 16));
    CHECK(optimizer.state().size() == 5);
    Toy plain;
    CHECK(Optimizer(plain.arena, {}).state().size() == 3);
}

TEST_CASE("schedule: warm-up, cosine, constant") {
    const Schedule cosine{ScheduleKind::cosine, 1, 0.2, 0.1};
    CHECK(cosine.rate(0.1) == doctest::Approx(0.5));
    CHECK(cosine.rate(0.2) == doctest::Approx(1));
    CHECK(cosine.rate(0.6) == doctest::Approx(0.1 + 0.9 * 0.5));
    CHECK(cosine.rate(1) == doctest::Approx(0.1));
    CHECK(cosine.rate(7) == doctest::Approx(0.1));
    CHECK(Schedule{ScheduleKind::constant, 0.3f, 0, 0}.rate(0.9) == 0.3f);
    CHECK(parse_schedule("cosine") == ScheduleKind::cosine);
    CHECK_THROWS_WITH_AS(parse_schedule("x"), "[schedule] expected constant | cosine, got x", Error);
}
