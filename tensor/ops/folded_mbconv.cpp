#include "tensor/ops/folded_mbconv.h"

#if KARYON_HAS_CUDA

#include "kernels/conv/expand_depthwise.h"
#include "kernels/conv/fused_conv2d.h"
#include "kernels/conv/fused_depthwise_conv.h"
#include "kernels/excite/squeeze_excite.h"
#include "tensor/ops/convolution_shape.h"
#include "tensor/ops/fused_fold.h"
#include "tensor/stream.h"

namespace karyon {

using namespace kernels;

namespace {

/// Expansion and depthwise convolution, in one kernel where that saves traffic.
Tensor folded_depthwise(const Tensor& x, const MBConvParameters& q, const MBConvOptions& options) {
    Stream& stream = current_stream(x.device());
    const FoldedConvolution filter(q.depthwise_weight, FusedNorm(q.depthwise_norm, Activation::silu, false), x.dtype());
    const DepthwiseConvShape shape = depthwise_shape(x, q.depthwise_weight, options.stride, options.padding);
    Tensor d = x.empty_like({shape.batch, shape.out_height(), shape.out_width(), shape.channels});
    const ExpandDepthwiseShape both{int(x.dim(3)), shape};
    if (q.expand_weight.defined() && gpu::expand_depthwise_saves_traffic(both, x.dtype())) {
        const FoldedConvolution expansion(q.expand_weight, FusedNorm(q.expand_norm, Activation::silu, false),
                                          x.dtype());
        gpu::expand_depthwise_forward(stream, both, x, expansion.weight, expansion.epilogue(), filter.weight,
                                      filter.epilogue(), d);
        return d;
    }
    Tensor e = x.detach();
    if (q.expand_weight.defined())
        e = conv2d_folded(x, q.expand_weight, q.expand_norm, Activation::silu, 1, PaddingKind::symmetric);
    gpu::depthwise_fused_forward(stream, shape, e, {}, filter.weight, filter.epilogue(), d);
    return d;
}

}  // namespace

Tensor folded_mbconv(const Tensor& x, const MBConvParameters& q, const MBConvOptions& options) {
    Stream& stream = current_stream(x.device());
    const Tensor d = folded_depthwise(x, q, options);
    const Tensor& like = q.reduce_weight;  // f32
    const Tensor pooled = like.empty_like({d.dim(0), d.dim(3)}), hidden = like.empty_like({d.dim(0), like.dim(0)}),
                 gate = like.empty_like({d.dim(0), d.dim(3)});
    gpu::squeeze_excite_gate(stream, {int(d.dim(0)), d.dim(1) * d.dim(2), int(d.dim(3)), int(like.dim(0))}, d,
                             q.reduce_weight, q.reduce_bias, q.excite_weight, q.excite_bias, pooled, hidden, gate);

    const FoldedConvolution projection(q.project_weight, FusedNorm(q.project_norm, Activation::none, false), x.dtype());
    Tensor y = x.empty_like({d.dim(0), d.dim(1), d.dim(2), q.project_weight.dim(0)});
    Prologue gated;
    gated.gate = gate;
    gpu::conv2d_fused_forward(stream, convolution(d, q.project_weight), d, gated, projection.weight,
                              projection.epilogue(options.residual ? x.detach() : Tensor()), y);
    return y;
}

}  // namespace karyon

#endif
