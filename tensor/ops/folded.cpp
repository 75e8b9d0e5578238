#include "tensor/ops/folded.h"

#include <cmath>
#include <map>
#include <utility>

#include "kernels/conv/packed_conv2d.h"
#include "kernels/excite/squeeze_excite.h"
#include "tensor/autograd.h"
#include "tensor/ops/convolution_shape.h"
#include "tensor/stream.h"

namespace karyon {

using namespace kernels;

namespace {

/// batch_norm(z) = scale * z + shift.
struct Affine {
    Tensor scale, shift;

    explicit Affine(const BatchNormParameters& p) : scale(p.weight.empty_like()), shift(p.weight.empty_like()) {
        const auto gamma = p.weight.span<float>(), beta = p.bias.span<float>();
        const auto mean = p.running_mean.span<float>(), variance = p.running_variance.span<float>();
        for (std::size_t c = 0; c < gamma.size(); ++c) {
            const double factor = double(gamma[c]) / std::sqrt(double(variance[c]) + double(p.eps));
            scale.span<float>()[c] = float(factor);
            shift.span<float>()[c] = float(double(beta[c]) - double(mean[c]) * factor);
        }
    }
};

}  // namespace

struct FoldedWeights::Convolution {
    cpu::PackedConv2d packed;
};
struct FoldedWeights::Depthwise {
    Tensor weight, bias;
};
struct FoldedWeights::State {
    std::map<std::pair<const void*, DType>, std::unique_ptr<Convolution>> convolutions;
    std::map<const void*, Depthwise> depthwise;
};

FoldedWeights::FoldedWeights() : state_(std::make_unique<State>()) {}
FoldedWeights::~FoldedWeights() = default;

const FoldedWeights::Convolution& FoldedWeights::convolution(const Tensor& weight, const BatchNormParameters& norm,
                                                             DType type) {
    auto& entry = state_->convolutions[{weight.raw(), type}];
    if (!entry) {
        const Affine affine(norm);
        entry.reset(new Convolution{
            {int(weight.dim(3)), int(weight.dim(0)), int(weight.dim(1)), weight, affine.scale, affine.shift, type}});
    }
    return *entry;
}

const FoldedWeights::Depthwise& FoldedWeights::depthwise(const Tensor& weight, const BatchNormParameters& norm) {
    Depthwise& entry = state_->depthwise[weight.raw()];
    if (!entry.weight.defined()) {
        const Affine affine(norm);
        entry = {weight.clone(), affine.shift};
        const auto values = entry.weight.span<float>(), scale = affine.scale.span<float>();
        for (std::size_t i = 0; i < values.size(); ++i) values[i] *= scale[i % scale.size()];
    }
    return entry;
}

bool can_fold(const Tensor& x) { return x.device().kind == Device::Kind::cpu && !recording(); }

Tensor conv2d_norm(const Tensor& x, const Tensor& weight, const BatchNormParameters& norm, Activation f, int stride,
                   PaddingKind padding, FoldedWeights& folded, const Tensor& gate, const Tensor& residual) {
    const Conv2dShape shape = conv2d_shape(x, weight, stride, padding);
    Tensor y = x.empty_like({shape.batch, shape.out_height(), shape.out_width(), shape.out_channels});
    folded.convolution(weight, norm, x.dtype()).packed.forward(shape, x, gate, f, residual, y);
    return y;
}

Tensor depthwise_norm(const Tensor& x, const Tensor& weight, const BatchNormParameters& norm, Activation f, int stride,
                      PaddingKind padding, FoldedWeights& folded) {
    const DepthwiseConvShape shape = depthwise_shape(x, weight, stride, padding);
    Tensor y = x.empty_like({shape.batch, shape.out_height(), shape.out_width(), shape.channels});
    const FoldedWeights::Depthwise& of = folded.depthwise(weight, norm);
    cpu::depthwise_conv_activated(current_stream(x.device()), shape, x, of.weight, of.bias, f, y);
    return y;
}

Tensor squeeze_excite_gate(const Tensor& x, const Tensor& w1, const Tensor& b1, const Tensor& w2, const Tensor& b2) {
    const SqueezeExciteShape shape{int(x.dim(0)), x.dim(1) * x.dim(2), int(x.dim(3)), int(w1.dim(0))};
    const Tensor pooled = w1.empty_like({x.dim(0), x.dim(3)}), hidden = w1.empty_like({x.dim(0), w1.dim(0)});
    Tensor gate = w1.empty_like({x.dim(0), x.dim(3)});
    KARYON_RUN(x.device(), squeeze_excite_gate, shape, x, w1, b1, w2, b2, pooled, hidden, gate);
    return gate;
}

}  // namespace karyon
