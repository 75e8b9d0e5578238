#include "layers/mbconv.h"

#include <algorithm>

#include "layers/conv_norm.h"
#include "tensor/ops/fused_norm.h"
#include "tensor/ops/relu6.h"
#include "tensor/ops/shape.h"

namespace karyon {
namespace {

/// Drops the whole block for some images of the batch and scales the others up, so that the mean stays (Huang 2016).
Tensor drop_connect_scale(const Tensor& x, float probability, const Pass& pass) {
    const auto& [seed, stream, position] = pass.random->state();
    const int batch = int(x.dim(0));
    pass.random->skip(std::uint64_t(batch));
    return drop_connect_scales({seed, stream, position, batch, probability}, x.device(), pass.stream_offset);
}

}  // namespace

SqueezeExcite::SqueezeExcite(int channels, int reduced, Random& random)
    : reduce_weight(he_normal_fan_out({reduced, channels}, reduced, random)),
      reduce_bias(Tensor::zeros({reduced})),
      expand_weight(he_normal_fan_out({channels, reduced}, channels, random)),
      expand_bias(Tensor::zeros({channels})) {}

void SqueezeExcite::visit(const std::string& prefix, const StateVisitor& visitor) {
    visitor(join(prefix, "reduce.weight"), reduce_weight, StateKind::parameter);
    visitor(join(prefix, "reduce.bias"), reduce_bias, StateKind::parameter);
    visitor(join(prefix, "expand.weight"), expand_weight, StateKind::parameter);
    visitor(join(prefix, "expand.bias"), expand_bias, StateKind::parameter);
}

MBConv::MBConv(const Options& o, Random& random) : options_(o) {
    const int middle = o.in * o.expand;
    const Activation f = o.lite ? Activation::none : Activation::silu;
    if (o.expand != 1) {
        expand_ = Conv2d(o.in, middle, {.kernel = 1}, random);
        expand_bn_ = BatchNorm(middle, o.batch_norm, f);
    }
    depthwise_ = DepthwiseConv(middle, o.kernel, o.stride, o.padding, random);
    depthwise_bn_ = BatchNorm(middle, o.batch_norm, f);
    if (!o.lite) squeeze_excite_ = SqueezeExcite(middle, std::max(1, o.in / 4), random);
    project_ = Conv2d(middle, o.out, {.kernel = 1}, random);
    project_bn_ = BatchNorm(o.out, o.batch_norm, Activation::none);
}

MBConvParameters MBConv::parameters() const {
    return {expand_.weight,
            expand_bn_.parameters,
            depthwise_.weight,
            depthwise_bn_.parameters,
            squeeze_excite_.reduce_weight,
            squeeze_excite_.reduce_bias,
            squeeze_excite_.expand_weight,
            squeeze_excite_.expand_bias,
            project_.weight,
            project_bn_.parameters};
}

/// What batch norm has not applied already: SiLU it knows, ReLU6 it does not.
Tensor MBConv::activated(const Tensor& x) const { return options_.lite ? relu6(x) : x; }

Tensor MBConv::operator()(const Tensor& x, const Pass& pass, Tensor* expansion) const {
    const bool residual = options_.stride == 1 && options_.in == options_.out;
    Tensor scale;
    if (residual && pass.training && pass.random && options_.drop_connect > 0)
        scale = drop_connect_scale(x, options_.drop_connect, pass);
    // The fused block is SiLU and a gate throughout; a Lite block has neither, and far less to save by fusing.
    if (!expansion && !options_.lite && runs_fused(x, pass.training))
        return mbconv(x, parameters(), scale, {options_.stride, options_.padding, residual, pass.training});

    Tensor y = x;
    if (options_.expand != 1) y = activated(conv_norm(expand_, expand_bn_, y, pass));
    if (expansion) *expansion = y;
    y = activated(conv_norm(depthwise_, depthwise_bn_, y, pass));
    if (folds(y, pass))
        return conv2d_norm(y, project_.weight, project_bn_.parameters, Activation::none, 1, PaddingKind::symmetric,
                           *pass.folded, options_.lite ? Tensor() : squeeze_excite_.gate(y), residual ? x : Tensor());
    if (!options_.lite) y = squeeze_excite_(y);
    y = conv_norm(project_, project_bn_, y, pass);
    if (!residual) return y;
    return add(scale.defined() ? scale_images(y, scale) : y, x);
}

void MBConv::visit(const std::string& prefix, const StateVisitor& visitor) {
    if (options_.expand != 1) {
        expand_.visit(join(prefix, "expand"), visitor);
        expand_bn_.visit(join(prefix, "expand_bn"), visitor);
    }
    depthwise_.visit(join(prefix, "depthwise"), visitor);
    depthwise_bn_.visit(join(prefix, "depthwise_bn"), visitor);
    if (!options_.lite) squeeze_excite_.visit(join(prefix, "se"), visitor);
    project_.visit(join(prefix, "project"), visitor);
    project_bn_.visit(join(prefix, "project_bn"), visitor);
}

}  // namespace karyon
