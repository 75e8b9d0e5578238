#pragma once

#include "kernels/conv/depthwise_conv.h"
#include "kernels/fusion.h"

/// The first two convolutions of an MBConv block in inference as one kernel: the expanded tensor, six times as wide as
/// x and read once, exists in no memory.
namespace karyon::kernels {

/// x [batch, height, width, in_channels] is expanded to depthwise.channels by a pointwise convolution.
struct ExpandDepthwiseShape {
    int in_channels = 1;
    DepthwiseConvShape depthwise;
};

/// Of x, the weights of both (those of the depthwise convolution in f32) and y, each once; flops 2 per multiply-add.
Cost cost(const ExpandDepthwiseShape&, DType);

namespace gpu {

///   e = f(conv1x1(x, expand_weight) + b),  y = g(depthwise(e, weight) + c),  padding is zero in e
///
/// with b, f of expand_epilogue and c, g of epilogue. x, expand_weight [channels, in_channels] and y are all f32 or all
/// bf16 (e is rounded to that type), weight [k, k, channels] is f32. Error for a residual or statistics in an epilogue,
/// and for so many in_channels that not even a few pixels fit into shared memory.
void expand_depthwise_forward(Stream&, const ExpandDepthwiseShape&, In x, In expand_weight,
                              const Epilogue& expand_epilogue, In weight, const Epilogue& epilogue, Out y);

/// What the kernel reads and writes without any cache, and computes, by its tiles: pixels in the halo of several tiles
/// are read and expanded for each of them, and every tile reads the weights. Flops with SiLU behind both convolutions,
/// and with three products of TF32 for each of f32. Error where a patch does not fit into shared memory, as above.
Cost expand_depthwise_tile_cost(const ExpandDepthwiseShape&, DType);

/// Whether it moves fewer bytes without any cache than the two convolutions do, one after the other, with a cache
/// that holds everything but what they hand over.
bool expand_depthwise_saves_traffic(const ExpandDepthwiseShape&, DType);

}  // namespace gpu
}  // namespace karyon::kernels
