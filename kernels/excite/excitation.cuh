#pragma once

#include "kernels/excite/squeeze_excite.h"

/// The two small matrix products of squeeze-and-excitation, and their way back. Arrays are on the device, f32.
namespace karyon::kernels::gpu {

struct ExciteWeights {
    const float *w1, *b1, *w2, *b2;  ///< biases null on the way back
};
/// All are added to; null: not wanted.
struct ExciteGradients {
    float *w1, *b1, *w2, *b2;
};

/// pooled [batch, channels] -> hidden [batch, reduced] -> gate [batch, channels].
void excite_forward(const char* op, Stream&, const SqueezeExciteShape&, const ExciteWeights&, const float* pooled,
                    float* hidden, float* gate);

/// Scratch memory of the way back.
struct ExciteScratch {
    float* dexpanded;            ///< [batch, channels]: gradient before the sigmoid
    float *activated, *dhidden;  ///< [batch, reduced]: silu(hidden), gradient of hidden

    static std::size_t bytes(const SqueezeExciteShape& shape) {
        return sizeof(float) * static_cast<std::size_t>(shape.batch) *
               (static_cast<std::size_t>(shape.channels) + 2 * static_cast<std::size_t>(shape.reduced));
    }
    ExciteScratch(const SqueezeExciteShape& shape, float* memory)
        : dexpanded(memory),
          activated(memory + static_cast<std::ptrdiff_t>(shape.batch) * shape.channels),
          dhidden(activated + static_cast<std::ptrdiff_t>(shape.batch) * shape.reduced) {}
};

/// From the gradient of the gate, whose image n begins at dgate + n * image_stride, to dpixel [batch, channels], the
/// gradient that every pixel of an image receives through the mean; adds to the parameters' gradients.
void excite_backward(const char* op, Stream&, const SqueezeExciteShape&, const ExciteWeights&, const float* pooled,
                     const float* hidden, const float* gate, const float* dgate, std::int64_t image_stride,
                     const ExciteScratch&, float* dpixel, const ExciteGradients&);

}  // namespace karyon::kernels::gpu
