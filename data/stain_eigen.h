#pragma once

#include <array>

namespace karyon {

/// Eigenvalues, largest first, and unit eigenvectors (one a row) of a symmetric 3x3 matrix.
struct Eigen3 {
    std::array<double, 3> values;
    std::array<std::array<double, 3>, 3> vectors;
};

/// Cyclic Jacobi rotations: accurate to rounding for any symmetric matrix, equal eigenvalues included.
Eigen3 symmetric_eigen(std::array<std::array<double, 3>, 3> matrix);

}  // namespace karyon
