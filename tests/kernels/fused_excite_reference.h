#pragma once

#include "tests/kernels/squeeze_excite_reference.h"

/// Batch normalisation, activation and squeeze-and-excitation in a row, in double precision.
namespace karyon::test {

inline kernels::BatchNormShape batch_norm_shape(const kernels::SqueezeExciteShape& shape, float eps,
                                                kernels::Activation f) {
    return {shape.batch * shape.pixels, shape.channels, eps, f};
}

/// v * gate, which the project convolution reads.
inline std::vector<double> fused_excite_reference(const kernels::SqueezeExciteShape& shape,
                                                  const kernels::BatchNormShape& bn, const std::vector<double>& d,
                                                  const Statistics& s, const BatchNormParameters& norm,
                                                  const ExciteParameters& excite) {
    const std::vector<double> v = batch_norm_reference(bn, d, s, norm);
    return gated_reference(shape, v, gate_reference(shape, v, excite).gate);
}

struct FusedExciteGradients {
    ExciteGradients excite;  ///< excite.dx is the gradient of v
    BatchNormGradients norm;
};

inline FusedExciteGradients fused_excite_backward_reference(const kernels::SqueezeExciteShape& shape,
                                                            const kernels::BatchNormShape& bn,
                                                            const std::vector<double>& d, const Statistics& s,
                                                            const BatchNormParameters& norm,
                                                            const ExciteParameters& excite, const Gate& forward,
                                                            const std::vector<double>& dv_gated, bool frozen) {
    FusedExciteGradients g;
    g.excite =
        squeeze_excite_backward_reference(shape, batch_norm_reference(bn, d, s, norm), excite, forward, dv_gated);
    g.norm = batch_norm_backward_reference(bn, d, s, norm, g.excite.dx, frozen);
    return g;
}

}  // namespace karyon::test
