#include "tensor/ops/normalization.h"

#include <memory>
#include <utility>

#include "kernels/excite/squeeze_excite.h"
#include "kernels/norm/batch_norm.h"
#include "tensor/autograd.h"
#include "tensor/ops/check.h"
#include "tensor/stream.h"

namespace karyon {

using namespace kernels;

Tensor batch_norm(const Tensor& x, const BatchNormParameters& p, Activation f, bool training) {
    const std::int64_t channels = x.shape().back();
    require_shape("batch_norm", "weight", p.weight, {channels});
    const BatchNormShape shape{x.size() / channels, int(channels), p.eps, f};
    Tensor mean = p.running_mean, variance = p.running_variance;
    if (training) {
        mean = p.weight.empty_like();
        variance = p.weight.empty_like();
        KARYON_RUN(x.device(), batch_norm_statistics, shape, x, mean, variance);
        KARYON_RUN(x.device(), batch_norm_update_running, shape, p.momentum, mean, variance, p.running_mean,
                   p.running_variance);
    }
    Tensor y = x.empty_like();
    KARYON_RUN(x.device(), batch_norm_forward, shape, x, mean, variance, p.weight, p.bias, y);
    if (!will_record({x, p.weight, p.bias})) return y;

    const Saved saved_x(x), saved_weight(p.weight), saved_bias(p.bias), saved_mean(mean), saved_variance(variance);
    y = record("batch_norm", std::move(y), {x, p.weight, p.bias}, [=](const Tensor& dy, const Gradients& gradients) {
        const Tensor input = saved_x.get();
        Tensor dx = input.empty_like();
        const auto run = training ? KARYON_KERNEL(dy.device(), batch_norm_backward)
                                  : KARYON_KERNEL(dy.device(), batch_norm_backward_frozen);
        run(current_stream(dy.device()), shape, input, saved_mean.get(), saved_variance.get(), saved_weight.get(),
            saved_bias.get(), dy, dx, gradients.accumulator(1, {channels}), gradients.accumulator(2, {channels}));
        if (gradients.wanted(0)) gradients.deliver(0, std::move(dx));
    });
    return recomputable(std::move(y), [=] {
        const Tensor input = saved_x.get();
        Tensor again = input.empty_like();
        KARYON_RUN(input.device(), batch_norm_forward, shape, input, saved_mean.get(), saved_variance.get(),
                   saved_weight.get(), saved_bias.get(), again);
        return again;
    });
}

Tensor activation(const Tensor& x, Activation f) {
    Tensor y = x.empty_like();
    KARYON_RUN(x.device(), activation_forward, f, x.size(), x, y);
    if (!will_record({x})) return y;
    const Saved saved_x(x);
    y = record("activation", std::move(y), {x}, [=](const Tensor& dy, const Gradients& gradients) {
        Tensor dx = dy.empty_like();
        KARYON_RUN(dy.device(), activation_backward, f, dy.size(), saved_x.get(), dy, dx);
        gradients.deliver(0, std::move(dx));
    });
    return recomputable(std::move(y), [=] {
        const Tensor input = saved_x.get();
        Tensor again = input.empty_like();
        KARYON_RUN(input.device(), activation_forward, f, input.size(), input, again);
        return again;
    });
}

Tensor squeeze_excite(const Tensor& x, const Tensor& w1, const Tensor& b1, const Tensor& w2, const Tensor& b2) {
    require_rank("squeeze_excite", "x", x, 4);
    const std::int64_t batch = x.dim(0), channels = x.dim(3), reduced = w1.dim(0);
    require_shape("squeeze_excite", "w1", w1, {reduced, channels});
    require_shape("squeeze_excite", "w2", w2, {channels, reduced});
    const SqueezeExciteShape shape{int(batch), x.dim(1) * x.dim(2), int(channels), int(reduced)};
    const Tensor pooled = w1.empty_like({batch, channels}), hidden = w1.empty_like({batch, reduced}),
                 gate = w1.empty_like({batch, channels});
    KARYON_RUN(x.device(), squeeze_excite_gate, shape, x, w1, b1, w2, b2, pooled, hidden, gate);
    Tensor y = x.empty_like();
    KARYON_RUN(x.device(), squeeze_excite_apply, shape, x, gate, y);
    if (!will_record({x, w1, b1, w2, b2})) return y;

    const Saved saved_x(x), saved_w1(w1), saved_w2(w2), saved_pooled(pooled), saved_hidden(hidden), saved_gate(gate);
    // On the way back whoever reads y comes first, and computes x again: the gradient of x, which is next, needs it
    // too.
    const auto input = std::make_shared<Tensor>();
    const Device device = x.device();
    y = record("squeeze_excite", std::move(y), {x, w1, b1, w2, b2}, [=](const Tensor& dy, const Gradients& gradients) {
        Tensor dx = dy.empty_like();
        const Tensor again = input->defined() ? std::exchange(*input, Tensor()) : saved_x.get();
        KARYON_RUN(device, squeeze_excite_backward, shape, again, saved_w1.get(), saved_w2.get(), saved_pooled.get(),
                   saved_hidden.get(), saved_gate.get(), dy, dx, gradients.accumulator(1, {reduced, channels}),
                   gradients.accumulator(2, {reduced}), gradients.accumulator(3, {channels, reduced}),
                   gradients.accumulator(4, {channels}));
        gradients.deliver(0, std::move(dx));
    });
    return recomputable(std::move(y), [=] {
        *input = saved_x.get();
        Tensor again = input->empty_like();
        KARYON_RUN(device, squeeze_excite_apply, shape, *input, saved_gate.get(), again);
        return again;
    });
}

}  // namespace karyon
