#pragma once

#include <cmath>
#include <vector>

#include "kernels/channel_tiles.h"
#include "kernels/norm/batch_norm.h"
#include "kernels/norm/batch_norm_native.h"

namespace karyon::kernels::cpu {

inline double inverse_deviation(const BatchNormShape& shape, float variance) {
    return 1.0 / std::sqrt(static_cast<double>(variance) + static_cast<double>(shape.eps));
}

/// The parameters as the inner loops want them: z = (x - mean) * scale + beta, repeated over a tile. The mean is taken
/// off first, not folded into beta, which keeps all digits where it is large against the deviation; and all passes
/// compute z alike, so that ReLU cuts at the same elements on both ways.
struct BatchNormTile {
    std::int64_t width;
    std::vector<float> mean, scale, beta;

    BatchNormTile(const BatchNormShape& shape, const ChannelTiles& tiles, In mean_in, In variance_in, In gamma_in,
                  In beta_in)
        : width(tiles.width) {
        const float *means = mean_in.as<float>(), *variances = variance_in.as<float>();
        const float *gammas = gamma_in.as<float>(), *betas = beta_in.as<float>();
        mean = tiles.repeated([=](int c) { return means[c]; });
        scale = tiles.repeated([&](int c) { return gammas[c] * inverse_deviation(shape, variances[c]); });
        beta = tiles.repeated([=](int c) { return betas[c]; });
    }

    native::NormTile pointers() const { return {width, mean.data(), scale.data(), beta.data()}; }
};

}  // namespace karyon::kernels::cpu
