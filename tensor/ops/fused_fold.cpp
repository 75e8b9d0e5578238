#include "tensor/ops/fused_fold.h"

#if KARYON_HAS_CUDA

#include "kernels/conv/fused_conv2d.h"
#include "kernels/norm/fold_batch_norm.h"

namespace karyon {

using namespace kernels;

FoldedConvolution::FoldedConvolution(const Tensor& from, const FusedNorm& norm, DType type)
    : bias(norm.mean.empty_like()), activation(norm.activation) {
    const bool is_depthwise = from.shape().size() == 3;
    const std::int64_t channels = norm.mean.size();
    weight = Tensor::empty(from.shape(), is_depthwise ? DType::f32 : type, from.device());
    gpu::fold_batch_norm(current_stream(from.device()), {int(channels), int(from.size() / channels), is_depthwise},
                         from, norm.prologue(), weight, bias);
}

Tensor conv2d_folded(const Tensor& x, const Tensor& weight, const BatchNormParameters& norm, Activation f, int stride,
                     PaddingKind padding) {
    const FoldedConvolution folded(weight, FusedNorm(norm, f, false), x.dtype());
    Conv2dShape shape = convolution(x, weight);
    shape.stride = stride;
    shape.pad = padding_for(padding, x.dim(1), x.dim(2), shape.kernel, stride);
    Tensor y = x.empty_like({shape.batch, shape.out_height(), shape.out_width(), shape.out_channels});
    gpu::conv2d_fused_forward(current_stream(x.device()), shape, x, {}, folded.weight, folded.epilogue(), y);
    return y;
}

}  // namespace karyon

#else

namespace karyon {

Tensor conv2d_folded(const Tensor& x, const Tensor&, const BatchNormParameters&, Activation, int, PaddingKind) {
    throw Error("conv2d_folded", "expected a tensor on a GPU, got one on {}", name_of(x.device()));
}

}  // namespace karyon

#endif
