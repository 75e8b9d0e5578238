#include "tensor/ops/convolution_pair.h"

#include <utility>

#if KARYON_HAS_CUDA
#include "kernels/conv/fused_conv2d.h"
#include "tensor/ops/cast.h"
#endif

namespace karyon {

void ConvolutionPairParameters::append_to(std::vector<Tensor>& tape) const {
    tape.insert(tape.end(), {weight1, norm1.weight, norm1.bias, weight2, norm2.weight, norm2.bias});
}

#if KARYON_HAS_CUDA

using namespace kernels;

namespace {

/// Positions of the inputs on the tape, from weight1 on.
enum Input : std::size_t { in_gamma1 = 1, in_weight2 = 3 };

}  // namespace

ConvolutionPair::ConvolutionPair(const ConvolutionPairParameters& p, Activation last, bool training)
    : parameters(p), norm1(p.norm1, Activation::relu, training), norm2(p.norm2, last, training) {
    parameters.weight1 = p.weight1.detach();
    parameters.weight2 = p.weight2.detach();
}

void ConvolutionPair::second_forward() {
    norm1.update_running(a, parameters.norm1);
    b = a.empty_like({a.dim(0), a.dim(1), a.dim(2), parameters.weight2.dim(0)});
    gpu::conv2d_fused_forward(current_stream(a.device()), convolution(a, parameters.weight2), a, norm1.prologue(),
                              converted(parameters.weight2, a.dtype()), norm2.statistics(), b);
    norm2.update_running(b, parameters.norm2);
}

Tensor ConvolutionPair::second_backward(Tensor db, const Gradients& gradients, std::size_t first) {
    Stream& stream = current_stream(a.device());
    const Conv2dShape shape = convolution(a, parameters.weight2);
    if (gradients.wanted(first + in_weight2))
        gpu::conv2d_fused_backward_weights(stream, shape, a, norm1.prologue(), db,
                                           gradients.accumulator(first + in_weight2, parameters.weight2.shape()), {});
    Tensor da = a.empty_like();
    gpu::conv2d_backward_data(stream, shape, db, converted(parameters.weight2, a.dtype()), da);
    db = Tensor();
    norm1.backward(std::exchange(a, Tensor()), da, da, gradients, first + in_gamma1);
    return da;
}

#endif

}  // namespace karyon
