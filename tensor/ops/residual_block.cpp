#include "tensor/ops/residual_block.h"

#include <utility>

#if KARYON_HAS_CUDA

#include "kernels/conv/fused_conv2d.h"
#include "kernels/norm/residual_sum.h"
#include "tensor/ops/cast.h"
#include "tensor/ops/check.h"
#include "tensor/ops/fused_fold.h"

namespace karyon {

using namespace kernels;

namespace {

/// Positions of the inputs on the tape.
enum Input : std::size_t {
    in_x,
    in_weight1,
    in_gamma2 = in_weight1 + 4,
    in_shortcut_weight = in_weight1 + ConvolutionPairParameters::inputs,
    in_shortcut_gamma
};

/// One run of the block: what it keeps between the two ways.
struct Block {
    ConvolutionPair pair;
    Tensor shortcut_weight;  ///< off the tape
    FusedNorm shortcut_norm;
    Tensor c;  ///< undefined where the shortcut is x

    ResidualSumShape shape() const { return {pair.b.size() / pair.b.dim(3), int(pair.b.dim(3))}; }
    Prologue of_shortcut() const { return c.defined() ? shortcut_norm.prologue() : Prologue{}; }
    /// As residual_sum takes it, of x.
    Tensor result(const Tensor& shortcut) const {
        Tensor y = pair.b.empty_like();
        gpu::residual_sum_forward(current_stream(y.device()), shape(), pair.b, pair.norm2.prologue(), shortcut,
                                  of_shortcut(), y);
        return y;
    }
    void backward(const Saved& x, const Tensor& dy, const Gradients&);
    Tensor shortcut_backward(const Saved& x, Tensor dz, const Tensor& sum, const Tensor& sum_xhat, const Gradients&);
};

/// The gradient of a norm's raw input from dz and its sums; it may take dz's place.
void apply(const FusedNorm& norm, const Tensor& raw, const Tensor& dz, const Tensor& sum, const Tensor& sum_xhat,
           const Tensor& dx, const Gradients& gradients, std::size_t gamma_input) {
    gpu::batch_norm_backward_apply(current_stream(raw.device()), norm.shape(raw), raw, norm.mean, norm.variance,
                                   norm.gamma, dz, sum, sum_xhat, dx,
                                   gradients.accumulator(gamma_input, norm.gamma.shape()),
                                   gradients.accumulator(gamma_input + 1, norm.beta.shape()));
}

Tensor data_gradient(const Conv2dShape& shape, const Tensor& dy, const Tensor& weight) {
    Tensor dx = dy.empty_like({shape.batch, shape.height, shape.width, shape.in_channels});
    gpu::conv2d_backward_data(current_stream(dy.device()), shape, dy, converted(weight, dy.dtype()), dx);
    return dx;
}

/// What comes to x through the shortcut. dz is used up.
Tensor Block::shortcut_backward(const Saved& saved_x, Tensor dz, const Tensor& sum, const Tensor& sum_xhat,
                                const Gradients& gradients) {
    if (!c.defined()) return dz;
    apply(shortcut_norm, std::exchange(c, Tensor()), dz, sum, sum_xhat, dz, gradients, in_shortcut_gamma);
    const Tensor x = saved_x.get();
    const Conv2dShape shape = convolution(x, shortcut_weight);
    if (gradients.wanted(in_shortcut_weight))
        gpu::conv2d_backward_weights(current_stream(x.device()), shape, x, dz,
                                     gradients.accumulator(in_shortcut_weight, shortcut_weight.shape()), {});
    return gradients.wanted(in_x) ? data_gradient(shape, dz, shortcut_weight) : Tensor();
}

/// Every tensor lives as long as it is needed.
void Block::backward(const Saved& saved_x, const Tensor& dy, const Gradients& gradients) {
    Stream& stream = current_stream(dy.device());
    const Tensor& sum_like = pair.norm2.gamma;
    const Tensor sum = sum_like.empty_like(), sum_xhat = sum_like.empty_like(),
                 sum_xhat_shortcut = c.defined() ? sum_like.empty_like() : Tensor();
    Tensor dz = pair.b.empty_like();
    gpu::residual_sum_backward(stream, shape(), pair.b, pair.norm2.prologue(), c.defined() ? c : saved_x.get(),
                               of_shortcut(), dy, dz, sum, sum_xhat, sum_xhat_shortcut);
    Tensor db = dz.empty_like();
    apply(pair.norm2, std::exchange(pair.b, Tensor()), dz, sum, sum_xhat, db, gradients, in_gamma2);
    Tensor through_shortcut = shortcut_backward(saved_x, std::move(dz), sum, sum_xhat_shortcut, gradients);
    const Tensor da = pair.second_backward(std::move(db), gradients, in_weight1);

    const Tensor& weight = pair.parameters.weight1;
    const Tensor x = saved_x.get();
    const Conv2dShape first = convolution(x, weight);
    if (gradients.wanted(in_weight1))
        gpu::conv2d_backward_weights(stream, first, x, da, gradients.accumulator(in_weight1, weight.shape()), {});
    if (!gradients.wanted(in_x)) return;
    gradients.deliver(in_x, data_gradient(first, da, weight));
    gradients.deliver(in_x, std::move(through_shortcut));
}

Tensor convolved(const Tensor& x, const Tensor& weight, const FusedNorm& norm) {
    Tensor y = x.empty_like({x.dim(0), x.dim(1), x.dim(2), weight.dim(0)});
    gpu::conv2d_fused_forward(current_stream(x.device()), convolution(x, weight), x, {}, converted(weight, x.dtype()),
                              norm.statistics(), y);
    return y;
}

/// Inference: the first norm is folded into the weights before it; the other two are in the pass that sums.
Tensor inference(const Tensor& x, const ResidualBlockParameters& p) {
    const Tensor a = conv2d_folded(x, p.pair.weight1, p.pair.norm1, Activation::relu, 1, PaddingKind::symmetric);
    Block end{ConvolutionPair(p.pair, Activation::none, false), {}, {}, {}};
    end.pair.b = convolved(a, end.pair.parameters.weight2, end.pair.norm2);
    if (p.shortcut_weight.defined()) {
        end.shortcut_norm = FusedNorm(p.shortcut_norm, Activation::none, false);
        end.c = convolved(x, p.shortcut_weight.detach(), end.shortcut_norm);
    }
    return end.result(end.c.defined() ? end.c : x);
}

}  // namespace

Tensor residual_block(const Tensor& x, const ResidualBlockParameters& p, bool training) {
    constexpr const char* op = "residual_block";
    require_rank(op, "x", x, 4);
    require_equal(op, "channels of x", x.dim(3), p.pair.weight1.dim(3));
    if (!training) return inference(x, p);

    auto block = std::make_shared<Block>(Block{ConvolutionPair(p.pair, Activation::none, training), {}, {}, {}});
    block->pair.a = convolved(x, block->pair.parameters.weight1, block->pair.norm1);
    block->pair.second_forward();
    if (p.shortcut_weight.defined()) {
        block->shortcut_weight = p.shortcut_weight.detach();
        block->shortcut_norm = FusedNorm(p.shortcut_norm, Activation::none, training);
        block->c = convolved(x, block->shortcut_weight, block->shortcut_norm);
        block->shortcut_norm.update_running(block->c, p.shortcut_norm);
    }
    Tensor y = block->result(block->c.defined() ? block->c : x);

    std::vector<Tensor> inputs{x};
    p.pair.append_to(inputs);
    inputs.insert(inputs.end(), {p.shortcut_weight, p.shortcut_norm.weight, p.shortcut_norm.bias});
    if (!will_record(inputs)) return y;
    const Saved saved_x(x);
    y = record(op, std::move(y), inputs, [block, saved_x](const Tensor& dy, const Gradients& gradients) {
        block->backward(saved_x, dy, gradients);
    });
    Block end = *block;
    end.pair.a = Tensor();
    return recomputable(std::move(y), [end, saved_x] { return end.result(end.c.defined() ? end.c : saved_x.get()); });
}

}  // namespace karyon

#else

namespace karyon {

Tensor residual_block(const Tensor& x, const ResidualBlockParameters&, bool) {
    throw Error("residual_block", "expected a tensor on a GPU, got one on {}", name_of(x.device()));
}

}  // namespace karyon

#endif
