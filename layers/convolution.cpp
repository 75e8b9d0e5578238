#include "layers/convolution.h"

namespace karyon {

Conv2d::Conv2d(int in, int out, const Options& options, Random& random)
    : stride(options.stride), padding(options.padding) {
    const int taps = options.kernel * options.kernel;
    const Shape shape{out, options.kernel, options.kernel, in};
    switch (options.initialisation) {
        case Initialisation::he_normal_fan_out:
            weight = he_normal_fan_out(shape, taps * out, random);
            break;
        case Initialisation::he_uniform_fan_in:
            weight = he_uniform_fan_in(shape, taps * in, random);
            break;
        case Initialisation::xavier_uniform:
            weight = xavier_uniform(shape, taps * in, taps * out, random);
            break;
    }
    if (options.bias) bias = Tensor::zeros({out});
}

void Conv2d::visit(const std::string& prefix, const StateVisitor& visitor) {
    visitor(join(prefix, "weight"), weight, StateKind::parameter);
    if (bias.defined()) visitor(join(prefix, "bias"), bias, StateKind::parameter);
}

DepthwiseConv::DepthwiseConv(int channels, int kernel, int stride_, PaddingKind padding_, Random& random)
    : weight(he_normal_fan_out({kernel, kernel, channels}, kernel * kernel, random)),
      stride(stride_),
      padding(padding_) {}

void DepthwiseConv::visit(const std::string& prefix, const StateVisitor& visitor) {
    visitor(join(prefix, "weight"), weight, StateKind::parameter);
}

}  // namespace karyon
