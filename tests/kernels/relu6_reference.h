#pragma once

#include <algorithm>
#include <vector>

namespace karyon::test {

inline std::vector<double> relu6_reference(std::vector<double> x) {
    for (double& value : x) value = std::clamp(value, 0.0, 6.0);
    return x;
}

/// From the output y.
inline std::vector<double> relu6_backward_reference(const std::vector<double>& y, std::vector<double> dy) {
    for (std::size_t i = 0; i < y.size(); ++i) dy[i] *= y[i] > 0 && y[i] < 6 ? 1 : 0;
    return dy;
}

}  // namespace karyon::test
