#include "layers/residual.h"

#include "layers/conv_norm.h"
#include "tensor/ops/residual_block.h"
#include "tensor/ops/shape.h"

namespace karyon {

ResidualBlock::ResidualBlock(int in, int out, BatchNormOptions batch_norm, Random& random) {
    const Conv2d::Options options{.kernel = 3, .initialisation = Initialisation::he_uniform_fan_in};
    conv1_ = Conv2d(in, out, options, random);
    bn1_ = BatchNorm(out, batch_norm, Activation::relu);
    conv2_ = Conv2d(out, out, options, random);
    bn2_ = BatchNorm(out, batch_norm, Activation::none);
    if (in == out) return;
    shortcut_ = Conv2d(in, out, {.kernel = 1, .initialisation = Initialisation::he_uniform_fan_in}, random);
    shortcut_bn_ = BatchNorm(out, batch_norm, Activation::none);
}

Tensor ResidualBlock::operator()(const Tensor& x, const Pass& pass) const {
    if (runs_fused(x, pass.training))
        return residual_block(x,
                              {{conv1_.weight, bn1_.parameters, conv2_.weight, bn2_.parameters},
                               shortcut_.weight,
                               shortcut_bn_.parameters},
                              pass.training);
    const Tensor y = conv_norm(conv2_, bn2_, conv_norm(conv1_, bn1_, x, pass), pass);
    const Tensor shortcut = shortcut_.weight.defined() ? conv_norm(shortcut_, shortcut_bn_, x, pass) : x;
    return activation(add(y, shortcut), Activation::relu);
}

void ResidualBlock::visit(const std::string& prefix, const StateVisitor& visitor) {
    conv1_.visit(join(prefix, "conv1"), visitor);
    bn1_.visit(join(prefix, "bn1"), visitor);
    conv2_.visit(join(prefix, "conv2"), visitor);
    bn2_.visit(join(prefix, "bn2"), visitor);
    if (!shortcut_.weight.defined()) return;
    shortcut_.visit(join(prefix, "shortcut"), visitor);
    shortcut_bn_.visit(join(prefix, "shortcut_bn"), visitor);
}

ResidualChain::ResidualChain(int channels, int blocks, BatchNormOptions batch_norm, Random& random) {
    for (int i = 0; i < blocks; ++i) blocks_.emplace_back(channels, channels, batch_norm, random);
}

Tensor ResidualChain::operator()(const Tensor& x, const Pass& pass) const {
    Tensor y = x;
    for (const ResidualBlock& block : blocks_) y = block(y, pass);
    return y;
}

void ResidualChain::visit(const std::string& prefix, const StateVisitor& visitor) {
    for (std::size_t i = 0; i < blocks_.size(); ++i) blocks_[i].visit(join(prefix, std::to_string(i)), visitor);
}

}  // namespace karyon
