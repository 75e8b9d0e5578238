#pragma once

#include <vector>

#include "kernels/excite/squeeze_excite.h"

namespace karyon::kernels::cpu {

struct ExciteWeights {
    const float *w1, *w2;
};
/// All are added to; null: not wanted.
struct ExciteGradients {
    float *w1, *b1, *w2, *b2;
};

/// The two small matrix products of squeeze-and-excitation: pooled [batch, channels] -> hidden [batch, reduced] ->
/// gate [batch, channels].
void excite_forward(const SqueezeExciteShape&, const float* w1, const float* b1, const float* w2, const float* b2,
                    const float* pooled, float* hidden, float* gate);

/// The way back from dgate [batch, channels]: adds to the parameters' gradients and returns the gradient that every
/// pixel of an image receives through the mean, [batch, channels].
std::vector<float> excite_backward(const SqueezeExciteShape&, const ExciteWeights&, const float* pooled,
                                   const float* hidden, const float* gate, std::vector<float> dgate,
                                   const ExciteGradients&);

}  // namespace karyon::kernels::cpu
