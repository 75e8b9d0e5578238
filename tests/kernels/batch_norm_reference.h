#pragma once

#include <cmath>
#include <vector>

#include "kernels/norm/batch_norm.h"
#include "tests/kernels/activation_reference.h"

/// Batch normalisation and its gradient in double precision.
namespace karyon::test {

/// Mean and biased variance [channels] of x [rows, channels].
struct Statistics {
    std::vector<double> mean, variance;
};

inline Statistics statistics_of(int channels, const std::vector<double>& x) {
    const auto width = static_cast<std::size_t>(channels);
    const auto rows = static_cast<long double>(x.size() / width);
    std::vector<long double> sum(width), squares(width);
    for (std::size_t i = 0; i < x.size(); ++i) sum[i % width] += static_cast<long double>(x[i]);
    for (std::size_t i = 0; i < x.size(); ++i) {
        const long double d = static_cast<long double>(x[i]) - sum[i % width] / rows;
        squares[i % width] += d * d;
    }
    Statistics s;
    for (std::size_t c = 0; c < width; ++c) {
        s.mean.push_back(static_cast<double>(sum[c] / rows));
        s.variance.push_back(static_cast<double>(squares[c] / rows));
    }
    return s;
}

struct BatchNormParameters {
    std::vector<double> gamma, beta;
};

inline double inverse_deviation(const kernels::BatchNormShape& shape, const Statistics& s, std::size_t channel) {
    return 1 / std::sqrt(s.variance[channel] + static_cast<double>(shape.eps));
}

inline std::vector<double> batch_norm_reference(const kernels::BatchNormShape& shape, const std::vector<double>& x,
                                                const Statistics& s, const BatchNormParameters& p) {
    std::vector<double> y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
        const std::size_t c = i % p.gamma.size();
        const double xhat = (x[i] - s.mean[c]) * inverse_deviation(shape, s, c);
        y[i] = activation_reference(shape.activation, p.gamma[c] * xhat + p.beta[c]);
    }
    return y;
}

struct BatchNormGradients {
    std::vector<double> dx, dgamma, dbeta;
};

/// The textbook gradient; frozen: mean and variance are constants.
inline BatchNormGradients batch_norm_backward_reference(const kernels::BatchNormShape& shape,
                                                        const std::vector<double>& x, const Statistics& s,
                                                        const BatchNormParameters& p, const std::vector<double>& dy,
                                                        bool frozen) {
    const std::size_t channels = p.gamma.size();
    const auto rows = static_cast<double>(shape.rows);
    BatchNormGradients g{std::vector<double>(x.size()), std::vector<double>(channels), std::vector<double>(channels)};
    std::vector<double> xhat(x.size()), dz(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
        const std::size_t c = i % channels;
        xhat[i] = (x[i] - s.mean[c]) * inverse_deviation(shape, s, c);
        dz[i] = dy[i] * activation_slope_reference(shape.activation, p.gamma[c] * xhat[i] + p.beta[c]);
        g.dbeta[c] += dz[i];
        g.dgamma[c] += dz[i] * xhat[i];
    }
    for (std::size_t i = 0; i < x.size(); ++i) {
        const std::size_t c = i % channels;
        const double through_statistics = frozen ? 0 : (g.dbeta[c] + xhat[i] * g.dgamma[c]) / rows;
        g.dx[i] = p.gamma[c] * inverse_deviation(shape, s, c) * (dz[i] - through_statistics);
    }
    return g;
}

}  // namespace karyon::test
