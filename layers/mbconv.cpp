#include "layers/mbconv.h"

#include <algorithm>

#include "kernels/elementwise/drop_connect.h"
#include "tensor/ops/shape.h"
#include "tensor/stream.h"

namespace karyon {
namespace {

/// Drops the whole block for some images of the batch and scales the others up, so that the mean stays (Huang 2016).
Tensor drop_connect(const Tensor& x, float probability, Random& random) {
    Tensor scale = Tensor::empty({x.dim(0)});
    const auto& [seed, stream, position] = random.state();
    const int batch = int(x.dim(0));
    kernels::cpu::drop_connect_scales(current_stream(), {seed, stream, position, batch, probability}, scale);
    random.skip(batch);
    return scale_images(x, scale);
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
    if (o.expand != 1) {
        expand_ = Conv2d(o.in, middle, {.kernel = 1}, random);
        expand_bn_ = BatchNorm(middle, o.batch_norm, Activation::silu);
    }
    depthwise_ = DepthwiseConv(middle, o.kernel, o.stride, o.padding, random);
    depthwise_bn_ = BatchNorm(middle, o.batch_norm, Activation::silu);
    squeeze_excite_ = SqueezeExcite(middle, std::max(1, o.in / 4), random);
    project_ = Conv2d(middle, o.out, {.kernel = 1}, random);
    project_bn_ = BatchNorm(o.out, o.batch_norm, Activation::none);
}

Tensor MBConv::operator()(const Tensor& x, const Pass& pass, Tensor* expansion) const {
    Tensor y = x;
    if (options_.expand != 1) y = expand_bn_(expand_(y), pass);
    if (expansion) *expansion = y;
    y = depthwise_bn_(depthwise_(y), pass);
    y = project_bn_(project_(squeeze_excite_(y)), pass);
    if (options_.stride != 1 || options_.in != options_.out) return y;
    if (pass.training && pass.random && options_.drop_connect > 0)
        y = drop_connect(y, options_.drop_connect, *pass.random);
    return add(y, x);
}

void MBConv::visit(const std::string& prefix, const StateVisitor& visitor) {
    if (options_.expand != 1) {
        expand_.visit(join(prefix, "expand"), visitor);
        expand_bn_.visit(join(prefix, "expand_bn"), visitor);
    }
    depthwise_.visit(join(prefix, "depthwise"), visitor);
    depthwise_bn_.visit(join(prefix, "depthwise_bn"), visitor);
    squeeze_excite_.visit(join(prefix, "se"), visitor);
    project_.visit(join(prefix, "project"), visitor);
    project_bn_.visit(join(prefix, "project_bn"), visitor);
}

}  // namespace karyon
