#include "tensor/ops/mbconv.h"

#include <utility>

#include "tensor/autograd.h"
#include "tensor/stream.h"

#if KARYON_HAS_CUDA

#include "kernels/conv/fused_conv2d.h"
#include "kernels/conv/fused_depthwise_conv.h"
#include "kernels/elementwise/add.h"
#include "kernels/excite/fused_excite.h"
#include "tensor/ops/cast.h"
#include "tensor/ops/convolution_shape.h"
#include "tensor/ops/folded_mbconv.h"
#include "tensor/ops/fused_norm.h"

namespace karyon {

using namespace kernels;

namespace {

/// One run of the block: what it keeps between the two ways. Names as in the header's shapes: e is the raw output of
/// the expansion (x itself where there is none, for the time of a pass), d of the depthwise convolution, p of the
/// projection.
struct Block {
    MBConvOptions options;
    MBConvParameters parameters;  ///< off the tape
    bool expands = false;
    FusedNorm expand_norm, depthwise_norm, project_norm;
    Tensor e, d, p, pooled, hidden, gate, image_scale;

    Stream& stream() const { return current_stream(parameters.project_weight.device()); }
    Prologue of_e() const { return expands ? expand_norm.prologue() : Prologue{}; }
    Prologue of_d(const Tensor& with_gate = {}) const { return depthwise_norm.prologue(with_gate); }
    SqueezeExciteShape excite_shape() const {
        return {int(d.dim(0)), d.dim(1) * d.dim(2), int(d.dim(3)), int(parameters.reduce_weight.dim(0))};
    }

    Tensor forward(const Tensor& x);
    void backward(const Saved& x, const Tensor& dy, const Gradients&);
    Tensor backward_of_expansion(const Saved& x, Tensor dd, const Gradients&);
};

/// Positions of the inputs on the tape.
enum Input : std::size_t {
    in_x,
    in_expand_weight,
    in_expand_gamma,
    in_expand_beta,
    in_depthwise_weight,
    in_depthwise_gamma,
    in_depthwise_beta,
    in_reduce_weight,
    in_reduce_bias,
    in_excite_weight,
    in_excite_bias,
    in_project_weight,
    in_project_gamma,
    in_project_beta
};

Tensor Block::forward(const Tensor& x) {
    const MBConvParameters& p_ = parameters;
    e = x.detach();
    if (expands) {
        e = x.empty_like({x.dim(0), x.dim(1), x.dim(2), p_.expand_weight.dim(0)});
        gpu::conv2d_fused_forward(stream(), convolution(x, p_.expand_weight), x, {},
                                  converted(p_.expand_weight, x.dtype()), expand_norm.statistics(), e);
        expand_norm.update_running(e, p_.expand_norm);
    }
    const DepthwiseConvShape shape = depthwise_shape(e, p_.depthwise_weight, options.stride, options.padding);
    d = x.empty_like({shape.batch, shape.out_height(), shape.out_width(), shape.channels});
    gpu::depthwise_fused_forward(stream(), shape, e, of_e(), p_.depthwise_weight, depthwise_norm.statistics(), d);
    depthwise_norm.update_running(d, p_.depthwise_norm);

    const Tensor& like = p_.reduce_weight;  // f32
    pooled = like.empty_like({d.dim(0), d.dim(3)});
    hidden = like.empty_like({d.dim(0), like.dim(0)});
    gate = like.empty_like({d.dim(0), d.dim(3)});
    gpu::excite_fused_gate(stream(), excite_shape(), d, of_d(), p_.reduce_weight, p_.reduce_bias, p_.excite_weight,
                           p_.excite_bias, pooled, hidden, gate);

    p = x.empty_like({d.dim(0), d.dim(1), d.dim(2), p_.project_weight.dim(0)});
    gpu::conv2d_fused_forward(stream(), convolution(d, p_.project_weight), d, of_d(gate),
                              converted(p_.project_weight, x.dtype()), project_norm.statistics(), p);
    project_norm.update_running(p, p_.project_norm);

    Tensor y = p.empty_like();
    gpu::batch_norm_forward_residual(stream(), project_norm.shape(p), p.dim(1) * p.dim(2), p, project_norm.mean,
                                     project_norm.variance, project_norm.gamma, project_norm.beta, image_scale,
                                     options.residual ? x.detach() : Tensor(), y);
    if (!expands) e = Tensor();  // it is x, which may be recomputable
    return y;
}

/// From dd, the gradient of the raw depthwise output, to that of x. Lets go of e, and of dd as soon as it is used.
Tensor Block::backward_of_expansion(const Saved& saved_x, Tensor dd, const Gradients& gradients) {
    const DepthwiseConvShape shape = depthwise_shape(e, parameters.depthwise_weight, options.stride, options.padding);
    Tensor de = e.empty_like();
    if (!expands) {
        gpu::depthwise_conv_backward_data(stream(), shape, dd, parameters.depthwise_weight, de);
        return de;
    }
    const Tensor sum = expand_norm.mean.empty_like(), sum_xhat = expand_norm.mean.empty_like();
    gpu::depthwise_fused_backward_data(stream(), shape, dd, parameters.depthwise_weight, e, of_e(), de, sum, sum_xhat);
    dd = Tensor();
    const Shape channels = expand_norm.gamma.shape();
    gpu::batch_norm_backward_apply(
        stream(), expand_norm.shape(e), e, expand_norm.mean, expand_norm.variance, expand_norm.gamma, de, sum, sum_xhat,
        de, gradients.accumulator(in_expand_gamma, channels), gradients.accumulator(in_expand_beta, channels));
    e = Tensor();
    const Tensor x = saved_x.get();
    const Conv2dShape expansion = convolution(x, parameters.expand_weight);
    if (gradients.wanted(in_expand_weight))
        gpu::conv2d_backward_weights(stream(), expansion, x, de,
                                     gradients.accumulator(in_expand_weight, parameters.expand_weight.shape()), {});
    if (!gradients.wanted(in_x)) return {};
    Tensor dx = x.empty_like();
    gpu::conv2d_backward_data(stream(), expansion, de, converted(parameters.expand_weight, x.dtype()), dx);
    return dx;
}

/// Every tensor lives as long as it is needed.
void Block::backward(const Saved& saved_x, const Tensor& dy, const Gradients& gradients) {
    const auto gradient_of = [&](Input input, const Tensor& parameter) {
        return gradients.accumulator(input, parameter.shape());
    };
    const MBConvParameters& q = parameters;

    Tensor dp = p.empty_like(), scaled = dy;
    if (image_scale.defined()) {
        scaled = dp;
        gpu::scale_images(stream(), int(p.dim(0)), p.size() / p.dim(0), dy, image_scale, scaled);
    }
    project_norm.backward(std::exchange(p, Tensor()), scaled, dp, gradients, in_project_gamma);

    const Conv2dShape projection = convolution(d, q.project_weight);
    if (gradients.wanted(in_project_weight))
        gpu::conv2d_fused_backward_weights(stream(), projection, d, of_d(gate), dp,
                                           gradient_of(in_project_weight, q.project_weight), {});
    Tensor dd = d.empty_like();
    gpu::conv2d_backward_data(stream(), projection, dp, converted(q.project_weight, d.dtype()), dd);
    dp = Tensor();
    scaled = Tensor();
    gpu::excite_fused_backward(
        stream(), excite_shape(), d, of_d(), false, q.reduce_weight, q.excite_weight, pooled, hidden, gate, dd, dd,
        gradient_of(in_reduce_weight, q.reduce_weight), gradient_of(in_reduce_bias, q.reduce_bias),
        gradient_of(in_excite_weight, q.excite_weight), gradient_of(in_excite_bias, q.excite_bias),
        gradient_of(in_depthwise_gamma, depthwise_norm.gamma), gradient_of(in_depthwise_beta, depthwise_norm.beta));
    d = Tensor();
    if (!expands) e = saved_x.get();
    if (gradients.wanted(in_depthwise_weight))
        gpu::depthwise_fused_backward_weights(stream(),
                                              depthwise_shape(e, q.depthwise_weight, options.stride, options.padding),
                                              e, of_e(), dd, gradient_of(in_depthwise_weight, q.depthwise_weight));
    Tensor dx = backward_of_expansion(saved_x, std::move(dd), gradients);
    if (!gradients.wanted(in_x)) return;
    gradients.deliver(in_x, std::move(dx));
    if (options.residual) gradients.deliver(in_x, dy);
}

MBConvParameters off_the_tape(MBConvParameters p) {
    for (Tensor* tensor : {&p.expand_weight, &p.depthwise_weight, &p.reduce_weight, &p.reduce_bias, &p.excite_weight,
                           &p.excite_bias, &p.project_weight})
        *tensor = tensor->detach();
    return p;
}

}  // namespace

Tensor mbconv(const Tensor& x, const MBConvParameters& p, const Tensor& image_scale, const MBConvOptions& options) {
    if (!options.training && !image_scale.defined()) return folded_mbconv(x, p, options);
    auto block = std::make_shared<Block>();
    block->options = options;
    block->parameters = off_the_tape(p);
    block->expands = p.expand_weight.defined();
    if (block->expands) block->expand_norm = FusedNorm(p.expand_norm, Activation::silu, options.training);
    block->depthwise_norm = FusedNorm(p.depthwise_norm, Activation::silu, options.training);
    block->project_norm = FusedNorm(p.project_norm, Activation::none, options.training);
    block->image_scale = image_scale;
    Tensor y = block->forward(x);
    return record("mbconv", std::move(y),
                  {x, p.expand_weight, p.expand_norm.weight, p.expand_norm.bias, p.depthwise_weight,
                   p.depthwise_norm.weight, p.depthwise_norm.bias, p.reduce_weight, p.reduce_bias, p.excite_weight,
                   p.excite_bias, p.project_weight, p.project_norm.weight, p.project_norm.bias},
                  [block, saved_x = Saved(x)](const Tensor& dy, const Gradients& gradients) {
                      block->backward(saved_x, dy, gradients);
                  });
}

}  // namespace karyon

#else

namespace karyon {

Tensor mbconv(const Tensor& x, const MBConvParameters&, const Tensor&, const MBConvOptions&) {
    throw Error("mbconv", "expected a tensor on a GPU, got one on {}", name_of(x.device()));
}

}  // namespace karyon

#endif
