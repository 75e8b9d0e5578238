#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

namespace karyon::test {

struct JaccardSums {
    double intersection = 0, prediction = 0, target = 0;
};

inline JaccardSums jaccard_sums_reference(const std::vector<double>& x, const std::vector<double>& t) {
    JaccardSums s;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double p = 1 / (1 + std::exp(-x[i]));
        s.intersection += p * t[i];
        s.prediction += p;
        s.target += t[i];
    }
    return s;
}

inline double jaccard_reference(const JaccardSums& s, double smooth) {
    return 1 - (s.intersection + smooth) / (s.prediction + s.target - s.intersection + smooth);
}

/// The gradient of dloss * jaccard by the quotient rule: with a = I + smooth, b = U + smooth, the loss is 1 - a / b.
inline std::vector<double> jaccard_gradient_reference(const std::vector<double>& x, const std::vector<double>& t,
                                                      const JaccardSums& s, double smooth, double dloss) {
    const double a = s.intersection + smooth, b = s.prediction + s.target - s.intersection + smooth;
    std::vector<double> gradient(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double p = 1 / (1 + std::exp(-x[i]));
        gradient[i] = -dloss * (t[i] * b - a * (1 - t[i])) / (b * b) * p * (1 - p);
    }
    return gradient;
}

inline double cross_entropy_reference(const std::vector<double>& x, const std::vector<double>& t) {
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i)
        sum += std::max(x[i], 0.0) - x[i] * t[i] + std::log1p(std::exp(-std::abs(x[i])));
    return sum / static_cast<double>(x.size());
}

inline std::vector<double> cross_entropy_gradient_reference(const std::vector<double>& x, const std::vector<double>& t,
                                                            double dloss) {
    std::vector<double> gradient(x.size());
    for (std::size_t i = 0; i < x.size(); ++i)
        gradient[i] = dloss * (1 / (1 + std::exp(-x[i])) - t[i]) / static_cast<double>(x.size());
    return gradient;
}

}  // namespace karyon::test
