#pragma once

#include "layers/module.h"
#include "tensor/ops/convolution.h"

namespace karyon {

enum class Initialisation : unsigned char { he_normal_fan_out, he_uniform_fan_in, xavier_uniform };

/// Dense convolution; weight [out, k, k, in], bias [out] or none.
class Conv2d {
  public:
    struct Options {
        int kernel = 1, stride = 1;
        PaddingKind padding = PaddingKind::symmetric;
        bool bias = false;
        Initialisation initialisation = Initialisation::he_normal_fan_out;
    };

    Conv2d() = default;
    Conv2d(int in, int out, const Options&, Random&);

    Tensor operator()(const Tensor& x) const { return conv2d(x, weight, bias, stride, padding); }
    void visit(const std::string& prefix, const StateVisitor&);

    Tensor weight, bias;
    int stride = 1;
    PaddingKind padding = PaddingKind::symmetric;
};

/// Depthwise convolution; weight [k, k, channels].
class DepthwiseConv {
  public:
    DepthwiseConv() = default;
    DepthwiseConv(int channels, int kernel, int stride, PaddingKind, Random&);

    Tensor operator()(const Tensor& x) const { return depthwise_conv(x, weight, stride, padding); }
    void visit(const std::string& prefix, const StateVisitor&);

    Tensor weight;
    int stride = 1;
    PaddingKind padding = PaddingKind::symmetric;
};

}  // namespace karyon
