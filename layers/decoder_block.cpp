#include "layers/decoder_block.h"

#include "layers/conv_norm.h"
#include "tensor/ops/decoder_block.h"
#include "tensor/ops/shape.h"

namespace karyon {

DecoderBlock::DecoderBlock(int in, int skip, int out, BatchNormOptions batch_norm, Random& random) {
    const Conv2d::Options options{.kernel = 3, .initialisation = Initialisation::he_uniform_fan_in};
    conv1_ = Conv2d(in + skip, out, options, random);
    bn1_ = BatchNorm(out, batch_norm, Activation::relu);
    conv2_ = Conv2d(out, out, options, random);
    bn2_ = BatchNorm(out, batch_norm, Activation::relu);
}

Tensor DecoderBlock::operator()(const Tensor& x, const Tensor& skip, const Pass& pass) const {
    if (runs_fused(x, pass.training))
        return decoder_block(x, skip, {conv1_.weight, bn1_.parameters, conv2_.weight, bn2_.parameters}, pass.training);
    const Tensor y = skip.defined() ? upsample_concat(x, skip) : upsample_nearest(x);
    return conv_norm(conv2_, bn2_, conv_norm(conv1_, bn1_, y, pass), pass);
}

void DecoderBlock::visit(const std::string& prefix, const StateVisitor& visitor) {
    conv1_.visit(join(prefix, "conv1"), visitor);
    bn1_.visit(join(prefix, "bn1"), visitor);
    conv2_.visit(join(prefix, "conv2"), visitor);
    bn2_.visit(join(prefix, "bn2"), visitor);
}

}  // namespace karyon
