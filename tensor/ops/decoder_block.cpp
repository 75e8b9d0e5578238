#include "tensor/ops/decoder_block.h"

#include <utility>

#if KARYON_HAS_CUDA

#include "kernels/conv/fused_conv2d.h"
#include "kernels/resample/upsample_nearest.h"
#include "tensor/ops/cast.h"
#include "tensor/ops/check.h"
#include "tensor/ops/fused_fold.h"

namespace karyon {

using namespace kernels;

namespace {

/// Positions of the inputs on the tape.
enum Input : std::size_t { in_low, in_skip, in_weight1, in_gamma1, in_beta1, in_weight2, in_gamma2 };

int channels_of(const Tensor& x) { return x.defined() ? int(x.dim(3)) : 0; }

/// Of the first convolution; the image is twice as high and wide as `low`.
Conv2dShape first_shape(const Tensor& low, const Tensor& weight) {
    Conv2dShape shape = convolution(low, weight);
    shape.height *= 2, shape.width *= 2;
    return shape;
}

Tensor result_of(const FusedNorm& norm, const Tensor& raw) {
    Tensor y = raw.empty_like();
    gpu::batch_norm_forward(current_stream(raw.device()), norm.shape(raw), raw, norm.mean, norm.variance, norm.gamma,
                            norm.beta, y);
    return y;
}

/// Every tensor lives as long as it is needed: these are the largest of the network.
void backward(ConvolutionPair pair, const Saved& saved_low, const Saved& saved_skip, const Tensor& dy,
              const Gradients& gradients) {
    Stream& stream = current_stream(dy.device());
    Tensor db = pair.b.empty_like();
    pair.norm2.backward(std::exchange(pair.b, Tensor()), dy, db, gradients, in_gamma2);
    const Tensor da = pair.second_backward(std::move(db), gradients, in_weight1);

    const Tensor low = saved_low.get(), skip = saved_skip.get();
    const Tensor& weight = pair.parameters.weight1;
    const Conv2dShape shape = first_shape(low, weight);
    if (gradients.wanted(in_weight1))
        gpu::conv2d_upsample_concat_backward_weights(stream, shape, {low, channels_of(low), skip, channels_of(skip)},
                                                     da, gradients.accumulator(in_weight1, weight.shape()), {});
    if (!gradients.wanted(in_low) && !gradients.wanted(in_skip)) return;
    Tensor dupsampled = low.empty_like({shape.batch, shape.height, shape.width, low.dim(3)}), dskip;
    if (gradients.wanted(in_skip)) dskip = skip.empty_like();
    gpu::conv2d_upsample_concat_backward_data(stream, shape, da, converted(weight, da.dtype()),
                                              {dupsampled, channels_of(low), dskip, channels_of(skip)});
    if (gradients.wanted(in_low)) {
        Tensor dlow = low.empty_like();
        gpu::upsample_nearest_backward(stream, {int(low.dim(0)), int(low.dim(1)), int(low.dim(2)), int(low.dim(3))},
                                       dupsampled, dlow);
        gradients.deliver(in_low, std::move(dlow));
    }
    if (gradients.wanted(in_skip)) gradients.deliver(in_skip, std::move(dskip));
}

/// Inference: the norms are folded into the weights, ReLU is in the epilogues.
Tensor folded_forward(const Tensor& low, const Tensor& skip, const ConvolutionPairParameters& p) {
    const FoldedConvolution first(p.weight1, FusedNorm(p.norm1, Activation::relu, false), low.dtype());
    const Conv2dShape shape = first_shape(low, p.weight1);
    const Tensor y = low.empty_like({shape.batch, shape.height, shape.width, shape.out_channels});
    gpu::conv2d_upsample_concat_forward(current_stream(low.device()), shape,
                                        {low, channels_of(low), skip, channels_of(skip)}, first.weight,
                                        first.epilogue(), y);
    return conv2d_folded(y, p.weight2, p.norm2, Activation::relu, 1, PaddingKind::symmetric);
}

}  // namespace

Tensor decoder_block(const Tensor& low, const Tensor& skip, const ConvolutionPairParameters& p, bool training) {
    constexpr const char* op = "decoder_block";
    require_rank(op, "low", low, 4);
    if (skip.defined()) require_shape(op, "skip", skip, {low.dim(0), 2 * low.dim(1), 2 * low.dim(2), skip.dim(3)});
    require_equal(op, "channels of low and skip", channels_of(low) + channels_of(skip), p.weight1.dim(3));
    if (!training) return folded_forward(low, skip, p);

    auto pair = std::make_shared<ConvolutionPair>(p, Activation::relu, training);
    const Conv2dShape shape = first_shape(low, p.weight1);
    pair->a = low.empty_like({shape.batch, shape.height, shape.width, shape.out_channels});
    gpu::conv2d_upsample_concat_forward(current_stream(low.device()), shape,
                                        {low, channels_of(low), skip, channels_of(skip)},
                                        converted(p.weight1, low.dtype()), pair->norm1.statistics(), pair->a);
    pair->second_forward();
    Tensor y = result_of(pair->norm2, pair->b);

    std::vector<Tensor> inputs{low, skip};
    p.append_to(inputs);
    if (!will_record(inputs)) return y;
    y = record(op, std::move(y), inputs,
               [pair, saved_low = Saved(low), saved_skip = Saved(skip)](const Tensor& dy, const Gradients& gradients) {
                   backward(std::move(*pair), saved_low, saved_skip, dy, gradients);
               });
    return recomputable(std::move(y), [norm = pair->norm2, b = pair->b] { return result_of(norm, b); });
}

}  // namespace karyon

#else

namespace karyon {

Tensor decoder_block(const Tensor& low, const Tensor&, const ConvolutionPairParameters&, bool) {
    throw Error("decoder_block", "expected a tensor on a GPU, got one on {}", name_of(low.device()));
}

}  // namespace karyon

#endif
