#pragma once

#include "layers/batch_norm.h"
#include "layers/convolution.h"
#include "tensor/ops/folded.h"
#include "tensor/ops/mbconv.h"

namespace karyon {

/// Squeeze-and-excitation with biases; the reduced width is a quarter of the block's input, not of the expanded one.
class SqueezeExcite {
  public:
    SqueezeExcite() = default;
    SqueezeExcite(int channels, int reduced, Random&);

    Tensor operator()(const Tensor& x) const {
        return squeeze_excite(x, reduce_weight, reduce_bias, expand_weight, expand_bias);
    }
    /// f32 [n, c], off the tape: what operator() multiplies x by.
    Tensor gate(const Tensor& x) const {
        return squeeze_excite_gate(x, reduce_weight, reduce_bias, expand_weight, expand_bias);
    }
    void visit(const std::string& prefix, const StateVisitor&);

    Tensor reduce_weight, reduce_bias;  ///< [reduced, channels], [reduced]
    Tensor expand_weight, expand_bias;  ///< [channels, reduced], [channels]
};

/// The mobile inverted bottleneck of EfficientNet (Tan & Le 2019, Sandler 2018):
///
///   1x1 expand, BN, SiLU -> depthwise k x k, BN, SiLU -> squeeze-excite -> 1x1 project, BN -> + x
///
/// No expansion where expand = 1; the sum only where stride = 1 and in = out, with drop-connect before it.
class MBConv {
  public:
    struct Options {
        int in = 8, out = 8, kernel = 3, stride = 1, expand = 6;
        PaddingKind padding = PaddingKind::symmetric;
        BatchNormOptions batch_norm{};
        float drop_connect = 0;  ///< the probability that an image skips the block while training
        bool lite = false;       ///< EfficientNet-Lite: ReLU6 in place of SiLU, no squeeze-and-excitation
    };

    MBConv() = default;
    MBConv(const Options&, Random&);

    /// x [n,h,w,in] -> [n,oh,ow,out]. `expansion` receives the activation after the expansion (the skip of Keras'
    /// U-Net), where it is asked for.
    Tensor operator()(const Tensor& x, const Pass&, Tensor* expansion = nullptr) const;
    void visit(const std::string& prefix, const StateVisitor&);

    const Options& options() const { return options_; }

  private:
    MBConvParameters parameters() const;
    Tensor activated(const Tensor&) const;

    Options options_;
    Conv2d expand_;
    BatchNorm expand_bn_;
    DepthwiseConv depthwise_;
    BatchNorm depthwise_bn_;
    SqueezeExcite squeeze_excite_;
    Conv2d project_;
    BatchNorm project_bn_;
};

}  // namespace karyon
