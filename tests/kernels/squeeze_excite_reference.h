#pragma once

#include <vector>

#include "kernels/excite/squeeze_excite.h"
#include "tests/kernels/batch_norm_reference.h"

/// Squeeze-and-excitation and its gradient in double precision.
namespace karyon::test {

struct ExciteParameters {
    std::vector<double> w1, b1, w2, b2;
};

struct Gate {
    std::vector<double> pooled, hidden, gate;
};

inline Gate gate_reference(const kernels::SqueezeExciteShape& shape, const std::vector<double>& x,
                           const ExciteParameters& p) {
    const auto batch = static_cast<std::size_t>(shape.batch), pixels = static_cast<std::size_t>(shape.pixels);
    const auto channels = static_cast<std::size_t>(shape.channels), reduced = static_cast<std::size_t>(shape.reduced);
    Gate r{std::vector<double>(batch * channels), std::vector<double>(batch * reduced),
           std::vector<double>(batch * channels)};
    for (std::size_t n = 0; n < batch; ++n) {
        for (std::size_t i = 0; i < pixels * channels; ++i)
            r.pooled[n * channels + i % channels] += x[n * pixels * channels + i] / static_cast<double>(pixels);
        for (std::size_t h = 0; h < reduced; ++h) {
            double& hidden = r.hidden[n * reduced + h] = p.b1[h];
            for (std::size_t c = 0; c < channels; ++c) hidden += r.pooled[n * channels + c] * p.w1[h * channels + c];
        }
        for (std::size_t c = 0; c < channels; ++c) {
            double z = p.b2[c];
            for (std::size_t h = 0; h < reduced; ++h)
                z += activation_reference(kernels::Activation::silu, r.hidden[n * reduced + h]) * p.w2[c * reduced + h];
            r.gate[n * channels + c] = activation_reference(kernels::Activation::sigmoid, z);
        }
    }
    return r;
}

/// y = x * gate[image].
inline std::vector<double> gated_reference(const kernels::SqueezeExciteShape& shape, const std::vector<double>& x,
                                           const std::vector<double>& gate) {
    const auto channels = static_cast<std::size_t>(shape.channels);
    const std::size_t per_image = static_cast<std::size_t>(shape.pixels) * channels;
    std::vector<double> y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] * gate[i / per_image * channels + i % channels];
    return y;
}

struct ExciteGradients {
    std::vector<double> dx, dw1, db1, dw2, db2;
};

/// The way back from dy, the gradient of y = x * gate.
inline ExciteGradients squeeze_excite_backward_reference(const kernels::SqueezeExciteShape& shape,
                                                         const std::vector<double>& x, const ExciteParameters& p,
                                                         const Gate& f, const std::vector<double>& dy) {
    const auto batch = static_cast<std::size_t>(shape.batch), pixels = static_cast<std::size_t>(shape.pixels);
    const auto channels = static_cast<std::size_t>(shape.channels), reduced = static_cast<std::size_t>(shape.reduced);
    ExciteGradients g{gated_reference(shape, dy, f.gate), std::vector<double>(p.w1.size()),
                      std::vector<double>(reduced), std::vector<double>(p.w2.size()), std::vector<double>(channels)};
    for (std::size_t n = 0; n < batch; ++n) {
        std::vector<double> dgate(channels), dhidden(reduced);
        for (std::size_t i = 0; i < pixels * channels; ++i)
            dgate[i % channels] += x[n * pixels * channels + i] * dy[n * pixels * channels + i];
        for (std::size_t c = 0; c < channels; ++c) {
            const double gate = f.gate[n * channels + c], dz = dgate[c] * gate * (1 - gate);
            g.db2[c] += dz;
            for (std::size_t h = 0; h < reduced; ++h) {
                const double hidden = f.hidden[n * reduced + h];
                g.dw2[c * reduced + h] += dz * activation_reference(kernels::Activation::silu, hidden);
                dhidden[h] +=
                    dz * p.w2[c * reduced + h] * activation_slope_reference(kernels::Activation::silu, hidden);
            }
        }
        for (std::size_t h = 0; h < reduced; ++h) g.db1[h] += dhidden[h];
        for (std::size_t c = 0; c < channels; ++c) {
            double dpooled = 0;
            for (std::size_t h = 0; h < reduced; ++h) {
                g.dw1[h * channels + c] += dhidden[h] * f.pooled[n * channels + c];
                dpooled += dhidden[h] * p.w1[h * channels + c];
            }
            for (std::size_t pixel = 0; pixel < pixels; ++pixel)
                g.dx[(n * pixels + pixel) * channels + c] += dpooled / static_cast<double>(pixels);
        }
    }
    return g;
}

}  // namespace karyon::test
