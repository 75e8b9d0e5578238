#pragma once

#include <memory>
#include <vector>

#include "kernels/conv/conv2d.h"
#include "kernels/elementwise/activation.h"

namespace karyon::kernels::cpu {

/// A dense convolution for inference: its weights stay the same from call to call, so batch norm is folded into them
/// and they are packed into the layouts that oneDNN or Winograd's convolution wants once.
class PackedConv2d {
  public:
    /// w f32 [out, k, k, in]; scale f32 [out] multiplies the weights of each output (null: 1); bias f32 [out] or null.
    /// `type` is that of the activations.
    PackedConv2d(int in_channels, int out_channels, int kernel, In w, In scale, In bias, DType type);
    ~PackedConv2d();

    /// y = f(conv(x * gate, w * scale) + bias) + residual. Channels and kernel of the shape are those of the weights;
    /// gate f32 [batch, in] or null, for pointwise convolutions; residual of y's shape or null. Large pointwise
    /// convolutions go through the rows in pieces that stay in the cache between gate, product and activation.
    /// Not for several threads at once.
    void forward(const Conv2dShape&, In x, In gate, Activation f, In residual, Out y) const;

  private:
    struct Packing;
    struct Run;
    const Packing& packing_for(const Conv2dShape&, bool with_relu) const;
    const float* transformed_for(const Conv2dShape&) const;
    template <typename T>
    void forward_whole(const Run&, const T* x, const T* residual, T* y) const;
    template <typename T>
    void forward_in_pieces(const Run&, const T* x, const T* residual, T* y) const;

    DType type_;
    std::vector<float> bias_;
    std::vector<std::byte> weights_;  ///< [out, k, k, in] of type_
    mutable std::vector<std::unique_ptr<Packing>> packings_;
    mutable std::shared_ptr<float> transformed_;  ///< of winograd_forward, where a shape asked for it
};

}  // namespace karyon::kernels::cpu
