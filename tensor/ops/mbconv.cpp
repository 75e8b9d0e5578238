#include "tensor/ops/mbconv.h"

#include "tensor/autograd.h"
#include "tensor/stream.h"

#if KARYON_HAS_CUDA

#include "kernels/conv/fused_conv2d.h"
#include "kernels/conv/fused_depthwise_conv.h"
#include "kernels/elementwise/add.h"
#include "kernels/excite/fused_excite.h"
#include "kernels/norm/batch_norm.h"
#include "tensor/ops/cast.h"

namespace karyon {

using namespace kernels;

namespace {

/// The statistics by which a batch norm normalises: of the batch while training, else the running ones.
struct Norm {
    Tensor mean, variance, gamma, beta;
    float eps = 0, momentum = 0;

    Norm() = default;
    Norm(const BatchNormParameters& p, bool training)
        : mean(training ? p.weight.empty_like() : p.running_mean.detach()),
          variance(training ? p.weight.empty_like() : p.running_variance.detach()),
          gamma(p.weight.detach()),
          beta(p.bias.detach()),
          eps(p.eps),
          momentum(p.momentum) {}

    Prologue prologue(Activation f, const Tensor& gate = {}) const {
        return {mean, variance, gamma, beta, eps, f, gate};
    }
    BatchNormShape shape(const Tensor& x, Activation f) const {
        return {x.size() / x.shape().back(), int(x.shape().back()), eps, f};
    }
    void update_running(const Tensor& x, const BatchNormParameters& p) const {
        gpu::batch_norm_update_running(current_stream(x.device()), shape(x, Activation::none), momentum, mean, variance,
                                       p.running_mean, p.running_variance);
    }
};

Conv2dShape pointwise(const Tensor& x, const Tensor& weight) {
    return {int(x.dim(0)), int(x.dim(1)), int(x.dim(2)), int(x.dim(3)), int(weight.dim(0))};
}

DepthwiseConvShape depthwise(const Tensor& x, const Tensor& weight, const MBConvOptions& o) {
    const int kernel = int(weight.dim(0));
    return {int(x.dim(0)),
            int(x.dim(1)),
            int(x.dim(2)),
            int(x.dim(3)),
            kernel,
            o.stride,
            padding_for(o.padding, x.dim(1), x.dim(2), kernel, o.stride)};
}

/// One run of the block: what it keeps between the two ways. Names as in the header's shapes: e is the raw output of
/// the expansion (x itself where there is none), d of the depthwise convolution, p of the projection.
struct Block {
    MBConvOptions options;
    MBConvParameters parameters;  ///< off the tape
    bool expands = false;
    Norm expand_norm, depthwise_norm, project_norm;
    Tensor e, d, p, pooled, hidden, gate, image_scale;

    Stream& stream() const { return current_stream(d.defined() ? d.device() : parameters.project_weight.device()); }
    Prologue of_e() const { return expands ? expand_norm.prologue(Activation::silu) : Prologue{}; }
    Prologue of_d(const Tensor& with_gate = {}) const { return depthwise_norm.prologue(Activation::silu, with_gate); }
    Epilogue statistics(const Norm& norm) const {
        Epilogue epilogue;
        if (options.training) epilogue.mean = norm.mean, epilogue.variance = norm.variance;
        return epilogue;
    }
    SqueezeExciteShape excite_shape() const {
        return {int(d.dim(0)), d.dim(1) * d.dim(2), int(d.dim(3)), int(parameters.reduce_weight.dim(0))};
    }

    Tensor forward(const Tensor& x);
    void backward(const Tensor& x, const Tensor& dy, const Gradients&) const;
    Tensor backward_of_expansion(const Tensor& x, const Tensor& dd, const Gradients&) const;
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
        gpu::conv2d_fused_forward(stream(), pointwise(x, p_.expand_weight), x, {},
                                  converted(p_.expand_weight, x.dtype()), statistics(expand_norm), e);
        if (options.training) expand_norm.update_running(e, p_.expand_norm);
    }
    const DepthwiseConvShape shape = depthwise(e, p_.depthwise_weight, options);
    d = x.empty_like({shape.batch, shape.out_height(), shape.out_width(), shape.channels});
    gpu::depthwise_fused_forward(stream(), shape, e, of_e(), p_.depthwise_weight, statistics(depthwise_norm), d);
    if (options.training) depthwise_norm.update_running(d, p_.depthwise_norm);

    const Tensor& like = p_.reduce_weight;  // f32
    pooled = like.empty_like({d.dim(0), d.dim(3)});
    hidden = like.empty_like({d.dim(0), like.dim(0)});
    gate = like.empty_like({d.dim(0), d.dim(3)});
    gpu::excite_fused_gate(stream(), excite_shape(), d, of_d(), p_.reduce_weight, p_.reduce_bias, p_.excite_weight,
                           p_.excite_bias, pooled, hidden, gate);

    p = x.empty_like({d.dim(0), d.dim(1), d.dim(2), p_.project_weight.dim(0)});
    gpu::conv2d_fused_forward(stream(), pointwise(d, p_.project_weight), d, of_d(gate),
                              converted(p_.project_weight, x.dtype()), statistics(project_norm), p);
    if (options.training) project_norm.update_running(p, p_.project_norm);

    Tensor y = p.empty_like();
    gpu::batch_norm_forward_residual(stream(), project_norm.shape(p, Activation::none), p.dim(1) * p.dim(2), p,
                                     project_norm.mean, project_norm.variance, project_norm.gamma, project_norm.beta,
                                     image_scale, options.residual ? x.detach() : Tensor(), y);
    return y;
}

/// From dd, the gradient of the raw depthwise output, to that of x.
Tensor Block::backward_of_expansion(const Tensor& x, const Tensor& dd, const Gradients& gradients) const {
    const DepthwiseConvShape shape = depthwise(e, parameters.depthwise_weight, options);
    if (!expands) {
        Tensor dx = x.empty_like();
        gpu::depthwise_conv_backward_data(stream(), shape, dd, parameters.depthwise_weight, dx);
        return dx;
    }
    Tensor de = e.empty_like();
    const Tensor sum = expand_norm.mean.empty_like(), sum_xhat = expand_norm.mean.empty_like();
    gpu::depthwise_fused_backward_data(stream(), shape, dd, parameters.depthwise_weight, e, of_e(), de, sum, sum_xhat);
    const Shape channels = expand_norm.gamma.shape();
    gpu::batch_norm_backward_apply(stream(), expand_norm.shape(e, Activation::silu), e, expand_norm.mean,
                                   expand_norm.variance, expand_norm.gamma, de, sum, sum_xhat, de,
                                   gradients.accumulator(in_expand_gamma, channels),
                                   gradients.accumulator(in_expand_beta, channels));
    const Conv2dShape expansion = pointwise(x, parameters.expand_weight);
    if (gradients.wanted(in_expand_weight))
        gpu::conv2d_backward_weights(stream(), expansion, x, de,
                                     gradients.accumulator(in_expand_weight, parameters.expand_weight.shape()), {});
    if (!gradients.wanted(in_x)) return {};
    Tensor dx = x.empty_like();
    gpu::conv2d_backward_data(stream(), expansion, de, converted(parameters.expand_weight, x.dtype()), dx);
    return dx;
}

void Block::backward(const Tensor& x, const Tensor& dy, const Gradients& gradients) const {
    const auto gradient_of = [&](Input input, const Tensor& parameter) {
        return gradients.accumulator(input, parameter.shape());
    };
    const MBConvParameters& q = parameters;

    Tensor dp = p.empty_like(), scaled = dy;
    if (image_scale.defined()) {
        scaled = dp;
        gpu::scale_images(stream(), int(p.dim(0)), p.size() / p.dim(0), dy, image_scale, scaled);
    }
    gpu::batch_norm_backward(stream(), project_norm.shape(p, Activation::none), p, project_norm.mean,
                             project_norm.variance, project_norm.gamma, project_norm.beta, scaled, dp,
                             gradient_of(in_project_gamma, project_norm.gamma),
                             gradient_of(in_project_beta, project_norm.beta));

    const Conv2dShape projection = pointwise(d, q.project_weight);
    if (gradients.wanted(in_project_weight))
        gpu::conv2d_fused_backward_weights(stream(), projection, d, of_d(gate), dp,
                                           gradient_of(in_project_weight, q.project_weight), {});
    Tensor dd = d.empty_like();
    gpu::conv2d_backward_data(stream(), projection, dp, converted(q.project_weight, x.dtype()), dd);
    dp = Tensor();
    scaled = Tensor();
    gpu::excite_fused_backward(
        stream(), excite_shape(), d, of_d(), false, q.reduce_weight, q.excite_weight, pooled, hidden, gate, dd, dd,
        gradient_of(in_reduce_weight, q.reduce_weight), gradient_of(in_reduce_bias, q.reduce_bias),
        gradient_of(in_excite_weight, q.excite_weight), gradient_of(in_excite_bias, q.excite_bias),
        gradient_of(in_depthwise_gamma, depthwise_norm.gamma), gradient_of(in_depthwise_beta, depthwise_norm.beta));
    if (gradients.wanted(in_depthwise_weight))
        gpu::depthwise_fused_backward_weights(stream(), depthwise(e, q.depthwise_weight, options), e, of_e(), dd,
                                              gradient_of(in_depthwise_weight, q.depthwise_weight));
    Tensor dx = backward_of_expansion(x, dd, gradients);
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

bool has_fused_mbconv(const Tensor& x, const MBConvOptions& options) {
    return x.device().kind == Device::Kind::cuda && (options.training || !recording());
}

Tensor mbconv(const Tensor& x, const MBConvParameters& p, const Tensor& image_scale, const MBConvOptions& options) {
    auto block = std::make_shared<Block>();
    block->options = options;
    block->parameters = off_the_tape(p);
    block->expands = p.expand_weight.defined();
    if (block->expands) block->expand_norm = Norm(p.expand_norm, options.training);
    block->depthwise_norm = Norm(p.depthwise_norm, options.training);
    block->project_norm = Norm(p.project_norm, options.training);
    block->image_scale = image_scale;
    Tensor y = block->forward(x);
    return record("mbconv", std::move(y),
                  {x, p.expand_weight, p.expand_norm.weight, p.expand_norm.bias, p.depthwise_weight,
                   p.depthwise_norm.weight, p.depthwise_norm.bias, p.reduce_weight, p.reduce_bias, p.excite_weight,
                   p.excite_bias, p.project_weight, p.project_norm.weight, p.project_norm.bias},
                  [block, saved_x = Saved(x)](const Tensor& dy, const Gradients& gradients) {
                      block->backward(saved_x.get(), dy, gradients);
                  });
}

}  // namespace karyon

#else

namespace karyon {

bool has_fused_mbconv(const Tensor&, const MBConvOptions&) { return false; }

Tensor mbconv(const Tensor& x, const MBConvParameters&, const Tensor&, const MBConvOptions&) {
    throw Error("mbconv", "expected a tensor on a GPU, got one on {}", name_of(x.device()));
}

}  // namespace karyon

#endif
