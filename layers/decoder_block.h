#pragma once

#include "layers/batch_norm.h"
#include "layers/convolution.h"

namespace karyon {

/// One stage of the U-Net decoder: nearest x2, concatenation with the skip, twice 3x3 convolution, BN, ReLU.
class DecoderBlock {
  public:
    DecoderBlock() = default;
    /// `skip` = 0: no skip is joined.
    DecoderBlock(int in, int skip, int out, BatchNormOptions, Random&);

    /// x [n,h,w,in], skip [n,2h,2w,skip] or undefined -> [n,2h,2w,out].
    Tensor operator()(const Tensor& x, const Tensor& skip, const Pass&) const;
    void visit(const std::string& prefix, const StateVisitor&);

  private:
    Conv2d conv1_, conv2_;
    BatchNorm bn1_, bn2_;
};

}  // namespace karyon
