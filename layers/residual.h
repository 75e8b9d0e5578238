#pragma once

#include <vector>

#include "layers/batch_norm.h"
#include "layers/convolution.h"

namespace karyon {

/// The basic residual block (He 2016): 3x3, BN, ReLU, 3x3, BN, + shortcut, ReLU. The shortcut is the input itself, or a
/// 1x1 convolution with BN where the number of channels changes.
class ResidualBlock {
  public:
    ResidualBlock() = default;
    ResidualBlock(int in, int out, BatchNormOptions, Random&);

    Tensor operator()(const Tensor& x, const Pass&) const;
    void visit(const std::string& prefix, const StateVisitor&);

  private:
    Conv2d conv1_, conv2_, shortcut_;
    BatchNorm bn1_, bn2_, shortcut_bn_;
};

/// Residual blocks one after the other; none: the identity.
class ResidualChain {
  public:
    ResidualChain() = default;
    ResidualChain(int channels, int blocks, BatchNormOptions, Random&);

    Tensor operator()(const Tensor& x, const Pass&) const;
    void visit(const std::string& prefix, const StateVisitor&);

  private:
    std::vector<ResidualBlock> blocks_;
};

}  // namespace karyon
