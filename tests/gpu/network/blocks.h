#pragma once

#include <cmath>
#include <functional>

#include "tensor/autograd.h"
#include "tensor/ops/cast.h"
#include "tensor/ops/decoder_block.h"
#include "tensor/ops/fused_fold.h"
#include "tensor/ops/mbconv.h"
#include "tensor/ops/residual_block.h"
#include "tensor/ops/shape.h"
#include "tensor/random.h"

/// Blocks that run as one op on a GPU, and their compositions of single ops.
namespace karyon::test {

inline Tensor normal(Shape shape, float mean, float deviation, std::uint64_t stream) {
    Tensor x = Tensor::empty(std::move(shape));
    fill_normal(x.data<float>(), std::size_t(x.size()), mean, deviation, 5, stream);
    return x;
}

/// One run of a block: its activations come first, then its parameters; running statistics are made on the way.
class Run {
  public:
    Run(Device device, DType type, bool is_training) : training(is_training), device_(device), type_(type) {}

    const bool training;

    Tensor activation(Shape shape) {
        Tensor x = cast(normal(std::move(shape), 0, 1, next_++).to(device_), type_);
        x.require_gradient();
        return leaves_.emplace_back(x);
    }
    Tensor parameter(Shape shape, float mean, float deviation) {
        Tensor p = normal(std::move(shape), mean, deviation, next_++).to(device_);
        p.require_gradient();
        return leaves_.emplace_back(p);
    }
    BatchNormParameters norm(std::int64_t channels) {
        BatchNormParameters p{parameter({channels}, 1, 0.3f),
                              parameter({channels}, 0.2f, 0.3f),
                              normal({channels}, 0, 0.5f, next_++).to(device_),
                              Tensor::full({channels}, 1.5f, device_),
                              1e-3f,
                              0.1f};
        buffers_.push_back(p.running_mean);
        buffers_.push_back(p.running_variance);
        return p;
    }

    /// y, the gradients of all that was asked for (under a loss that weighs every element of y), running statistics.
    std::vector<Tensor> finish(Tensor y, bool with_gradients) {
        std::vector<Tensor> results{y.to(Device{})};
        if (with_gradients) {
            const Tensor weights = cast(normal(y.shape(), 0, 1, 999).to(device_), type_);
            const Tensor loss =
                record("weighted sum", Tensor::zeros({1}, DType::f32, device_), {y},
                       [=](const Tensor&, const Gradients& gradients) { gradients.deliver(0, weights); });
            y = Tensor();  // as where the next layer has it
            backward(loss);
            for (const Tensor& leaf : leaves_) results.push_back(leaf.gradient());
        }
        results.insert(results.end(), buffers_.begin(), buffers_.end());
        for (Tensor& result : results) result = cast(result.detach().to(Device{}), DType::f32);
        return results;
    }

  private:
    Device device_;
    DType type_;
    std::uint64_t next_ = 1;
    std::vector<Tensor> leaves_, buffers_;
};

/// Builds a block's output in a Run, fused or of single ops.
using Build = std::function<Tensor(Run&, bool fused)>;

struct Size {
    int batch, height, width;
};

inline ConvolutionPairParameters pair_parameters(Run& run, std::int64_t in, std::int64_t out) {
    const auto weight = [&](std::int64_t channels) {
        return run.parameter({out, 3, 3, channels}, 0, std::sqrt(2.0f / float(9 * channels)));
    };
    const Tensor first = weight(in);
    const BatchNormParameters norm1 = run.norm(out);
    const Tensor second = weight(out);
    return {first, norm1, second, run.norm(out)};
}

inline Build decoder(Size low, int channels, int skip_channels, int out) {
    return [=](Run& run, bool fused) {
        const Tensor x = run.activation({low.batch, low.height, low.width, channels});
        const Tensor skip =
            skip_channels == 0 ? Tensor() : run.activation({low.batch, 2 * low.height, 2 * low.width, skip_channels});
        const ConvolutionPairParameters p = pair_parameters(run, channels + skip_channels, out);
        if (fused) return decoder_block(x, skip, p, run.training);
        Tensor y = upsample_nearest(x);
        if (skip.defined()) y = concat_channels({y, skip});
        y = batch_norm(conv2d(y, p.weight1, {}, 1, PaddingKind::symmetric), p.norm1, Activation::relu, run.training);
        return batch_norm(conv2d(y, p.weight2, {}, 1, PaddingKind::symmetric), p.norm2, Activation::relu, run.training);
    };
}

inline Build residual(Size size, int in, int out) {
    return [=](Run& run, bool fused) {
        const Tensor x = run.activation({size.batch, size.height, size.width, in});
        ResidualBlockParameters p{pair_parameters(run, in, out), {}, {}};
        if (in != out) {
            p.shortcut_weight = run.parameter({out, 1, 1, in}, 0, std::sqrt(2.0f / float(in)));
            p.shortcut_norm = run.norm(out);
        }
        if (fused) return residual_block(x, p, run.training);
        const auto convolved = [&](const Tensor& of, const Tensor& weight, const BatchNormParameters& norm,
                                   Activation f) {
            return batch_norm(conv2d(of, weight, {}, 1, PaddingKind::symmetric), norm, f, run.training);
        };
        const Tensor y = convolved(convolved(x, p.pair.weight1, p.pair.norm1, Activation::relu), p.pair.weight2,
                                   p.pair.norm2, Activation::none);
        const Tensor shortcut = in == out ? x : convolved(x, p.shortcut_weight, p.shortcut_norm, Activation::none);
        return activation(add(y, shortcut), Activation::relu);
    };
}

struct MBConvSize {
    int in, expanded, reduced, out, kernel, stride;
};

inline Build inverted_bottleneck(Size size, MBConvSize c, bool dropped) {
    return [=](Run& run, bool fused) {
        const Tensor x = run.activation({size.batch, size.height, size.width, c.in});
        const bool expands = c.in != c.expanded;
        MBConvParameters p;
        if (expands) {
            p.expand_weight = run.parameter({c.expanded, 1, 1, c.in}, 0, 1 / std::sqrt(float(c.in)));
            p.expand_norm = run.norm(c.expanded);
        }
        p.depthwise_weight = run.parameter({c.kernel, c.kernel, c.expanded}, 0, 1 / float(c.kernel));
        p.depthwise_norm = run.norm(c.expanded);
        p.reduce_weight = run.parameter({c.reduced, c.expanded}, 0, 1 / std::sqrt(float(c.expanded)));
        p.reduce_bias = run.parameter({c.reduced}, 0, 0.3f);
        p.excite_weight = run.parameter({c.expanded, c.reduced}, 0, 1 / std::sqrt(float(c.reduced)));
        p.excite_bias = run.parameter({c.expanded}, 0, 0.3f);
        p.project_weight = run.parameter({c.out, 1, 1, c.expanded}, 0, 1 / std::sqrt(float(c.expanded)));
        p.project_norm = run.norm(c.out);
        const bool adds = c.stride == 1 && c.in == c.out;
        Tensor scale;
        if (dropped) {
            scale = Tensor::full({size.batch}, 1.25f);
            scale.data<float>()[0] = 0;
            scale = scale.to(x.device());
        }
        if (fused) return mbconv(x, p, scale, {c.stride, PaddingKind::same, adds, run.training});

        Tensor y = x;
        if (expands)
            y = batch_norm(conv2d(y, p.expand_weight, {}, 1, PaddingKind::same), p.expand_norm, Activation::silu,
                           run.training);
        y = batch_norm(depthwise_conv(y, p.depthwise_weight, c.stride, PaddingKind::same), p.depthwise_norm,
                       Activation::silu, run.training);
        y = squeeze_excite(y, p.reduce_weight, p.reduce_bias, p.excite_weight, p.excite_bias);
        y = batch_norm(conv2d(y, p.project_weight, {}, 1, PaddingKind::same), p.project_norm, Activation::none,
                       run.training);
        if (!adds) return y;
        return add(dropped ? scale_images(y, scale) : y, x);
    };
}

/// The stem: a convolution at stride 2, batch norm, SiLU. In inference alone one op.
inline Build stem(Size size, int in, int out) {
    return [=](Run& run, bool fused) {
        const Tensor x = run.activation({size.batch, size.height, size.width, in});
        const Tensor weight = run.parameter({out, 3, 3, in}, 0, std::sqrt(2.0f / float(9 * in)));
        const BatchNormParameters norm = run.norm(out);
        if (fused && !run.training) return conv2d_folded(x, weight, norm, Activation::silu, 2, PaddingKind::same);
        return batch_norm(conv2d(x, weight, {}, 2, PaddingKind::same), norm, Activation::silu, run.training);
    };
}

}  // namespace karyon::test
