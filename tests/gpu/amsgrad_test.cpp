#include "tests/gpu/device_buffer.h"
#include "tests/gpu/op_case.h"
#include "tests/kernels/amsgrad_reference.h"

using namespace karyon;
using namespace karyon::test;
using kernels::AmsgradStep;

namespace {

AmsgradStep step_of(std::size_t count) {
    return {.count = static_cast<std::int64_t>(count), .step = 3, .weight_decay = 0.01f, .grad_scale = 0.5f};
}

/// One step from random state: param, m, v, vmax are results that hold values before.
OpCase amsgrad_case(const AmsgradStep& step) {
    const auto count = static_cast<std::size_t>(step.count);
    const Values grad = uniform(DType::f32, count, 1, -0.1f, 0.1f), param = uniform(DType::f32, count, 2);
    const Values m = uniform(DType::f32, count, 3, -0.1f, 0.1f), v = uniform(DType::f32, count, 4, 0, 0.01f);
    const Values vmax = uniform(DType::f32, count, 5, 0, 0.01f);
    return {.name = fmt::format("amsgrad {}", count),
            .inputs = {grad},
            .results = {Result::added_to(param, 1e-6, 1e-7), Result::added_to(m, 1e-6, 1e-8),
                        Result::added_to(v, 2e-6, 1e-10), Result::added_to(vmax, 2e-6, 1e-10)},
            .run = [=](auto& stream, auto in,
                       auto out) { kernels::gpu::amsgrad(stream, step, in[0], out[0], out[1], out[2], out[3]); },
            .reference =
                [=](const auto& in) {
                    std::vector<Doubles> change(4, Doubles(count));
                    for (std::size_t i = 0; i < count; ++i) {
                        AmsgradReference r{param.at[i], m.at[i], v.at[i], vmax.at[i]};
                        r.update(step, in[0][i]);
                        change[0][i] = r.param - param.at[i];
                        change[1][i] = r.m - m.at[i];
                        change[2][i] = r.v - v.at[i];
                        change[3][i] = r.vmax - vmax.at[i];
                    }
                    return change;
                }};
}

Values coefficients_of(const AmsgradStep& step, float average_decay) {
    const kernels::AmsgradCoefficients k(step, average_decay);
    return {DType::f32, to_double(std::vector<float>{k.grad_scale, k.beta1, k.beta2, k.eps, k.keep, k.rate,
                                                     k.root_scale, k.average_decay})};
}

/// The same with coefficients and norm on the device; with `average`, a fifth result.
OpCase on_device_case(AmsgradStep step, float norm, float max_norm, bool average) {
    constexpr float decay = 0.75f;
    const Values coefficients = coefficients_of(step, decay);
    const bool skipped = !std::isfinite(norm);
    if (max_norm > 0 && norm > max_norm) step.grad_scale *= max_norm / norm;
    OpCase op = amsgrad_case(step);
    op.name += " on device";
    op.inputs.push_back(coefficients);
    op.inputs.push_back({DType::f32, {double{norm}}});
    const Values before = uniform(DType::f32, op.results[0].count, 6);
    op.results.push_back(Result::added_to(before, 1e-6, 1e-7));
    op.results[4].absent = !average;
    op.run = [=](auto& stream, auto in, auto out) {
        kernels::gpu::amsgrad(stream, step.count, {in[1], in[2], max_norm, out[4]}, in[0], out[0], out[1], out[2],
                              out[3]);
    };
    op.reference = [=, param = op.results[0].initial, plain = op.reference](const auto& in) {
        std::vector<Doubles> change = plain(in);
        change.push_back(before.at);
        for (std::size_t i = 0; i < before.at.size(); ++i)
            change[4][i] = (1 - double{decay}) * (param[i] + change[0][i] - before.at[i]);
        if (skipped)
            for (Doubles& values : change) values.assign(values.size(), 0);
        return change;
    };
    return op;
}

}  // namespace

TEST_CASE("gpu AMSGrad: every kind of tail, both places of eps") {
    for (const std::size_t count : {0, 1, 3, 4, 1023, 1024, 1030, 5001}) {
        AmsgradStep step = step_of(count);
        check(amsgrad_case(step));
        step.placement = kernels::EpsPlacement::keras;
        check(amsgrad_case(step));
    }
}

TEST_CASE("gpu AMSGrad clips by a norm on the device and keeps an average") {
    for (const bool average : {false, true})
        for (const float norm : {0.5f, 8.0f})
            for (const std::size_t count : {5, 2048, 3001}) check(on_device_case(step_of(count), norm, 2, average));
    check(on_device_case(step_of(100), 8, 0, true));
}

TEST_CASE("gpu AMSGrad changes nothing where the norm is not finite") {
    for (const float norm : {INFINITY, NAN}) {
        OpCase op = on_device_case(step_of(1500), norm, 2, true);
        for (Result& result : op.results) result.rel = result.abs = 0;
        check(op);
    }
}

TEST_CASE("gpu AMSGrad needs no norm on the device") {
    OpCase op = on_device_case(step_of(100), 8, 0, true);
    op.inputs[2] = none();
    check(op);
}

TEST_CASE("gpu AMSGrad lets a NaN gradient reach the parameter and the moments; the norm shows it") {
    kernels::CudaStream stream;
    const std::vector<float> grad_values = {1, NAN, 1, 1, 1}, ones(5, 1.0f);
    DeviceBuffer<float> grad{std::span(grad_values)}, norm(1);
    DeviceBuffer<float> state[4]{DeviceBuffer<float>(std::span(ones)), DeviceBuffer<float>(std::span(ones)),
                                 DeviceBuffer<float>(std::span(ones)), DeviceBuffer<float>(std::span(ones))};
    kernels::gpu::gradient_norm(stream, 5, grad.data(), norm.data());
    kernels::gpu::amsgrad(stream, step_of(5), grad.data(), state[0].data(), state[1].data(), state[2].data(),
                          state[3].data());
    CHECK(std::isnan(norm.read()[0]));
    for (const auto& part : state) {
        const std::vector<float> values = part.read();
        CHECK(std::isnan(values[1]));
        for (const std::size_t i : {0, 2, 3, 4}) CHECK(std::isfinite(values[i]));
    }
}

namespace {

OpCase average_case(std::size_t count, bool on_device) {
    const auto size = static_cast<std::int64_t>(count);
    const Values before = integers(DType::f32, count, 2);
    return {.name = fmt::format("exponential_moving_average {}", count),
            .inputs = {integers(DType::f32, count, 1), coefficients_of({}, 0.75f)},
            .results = {Result::added_to(before, 0, 0)},
            .run =
                [=](auto& stream, auto in, auto out) {
                    if (on_device)
                        kernels::gpu::exponential_moving_average(stream, size, in[1], in[0], out[0]);
                    else
                        kernels::gpu::exponential_moving_average(stream, size, 0.75f, in[0], out[0]);
                },
            .reference =
                [=](const auto& in) {
                    Doubles change = in[0];
                    for (std::size_t i = 0; i < count; ++i) change[i] = 0.25 * (change[i] - before.at[i]);
                    return std::vector<Doubles>{change};
                }};
}

}  // namespace

TEST_CASE("gpu moving average, with the decay from the host and from the device") {
    for (const std::size_t count : {1, 4096, 5003})
        for (const bool on_device : {false, true}) check(average_case(count, on_device));
}

namespace {

OpCase norm_case(const Values& grad) {
    return {.name = fmt::format("gradient_norm {}", grad.at.size()),
            .inputs = {grad},
            .results = {Result::of(DType::f32, 1, 1e-7, 0)},
            .run = [size = static_cast<std::int64_t>(grad.at.size())](
                       auto& stream, auto in, auto out) { kernels::gpu::gradient_norm(stream, size, in[0], out[0]); },
            .reference =
                [](const auto& in) {
                    double sum = 0;
                    for (const double value : in[0]) sum += value * value;
                    return std::vector<Doubles>{{std::sqrt(sum)}};
                }};
}

}  // namespace

TEST_CASE("the gradient norm is taken in double") {
    for (const std::size_t count : {0, 1, 4099, 70001}) {
        check(norm_case(uniform(DType::f32, count, 1)));
        check(norm_case(uniform(DType::f32, count, 2, 1e18f, 1e30f)));
        check(norm_case(uniform(DType::f32, count, 3, 1e-30f, 1e-25f)));
    }
}

KARYON_NETWORK_CASES(amsgrad) {
    constexpr std::size_t count = 1 << 20;
    const AmsgradStep step = step_of(count);
    const double parameters = count;
    return {{"amsgrad 1048576", cost(step), [=] { return amsgrad_case(step); }},
            {"amsgrad with average 1048576", cost(step, true), [=] { return on_device_case(step, 1, 2, true); }},
            {"exponential_moving_average 1048576",
             {12 * parameters, 3 * parameters},
             [] { return average_case(count, false); }},
            {"gradient_norm 1048576", {4 * parameters, 0}, [] { return norm_case(uniform(DType::f32, count, 1)); }}};
}
