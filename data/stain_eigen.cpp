#include "data/stain_eigen.h"

#include <cmath>
#include <utility>

namespace karyon {
namespace {

using Matrix3 = std::array<std::array<double, 3>, 3>;

/// Zeroes a[p][q] by a rotation of the axes p and q (Golub and Van Loan, "Matrix Computations", 8.5).
void rotate(Matrix3& a, Matrix3& vectors, int p, int q) {
    if (a[p][q] == 0) return;
    const double tau = (a[q][q] - a[p][p]) / (2 * a[p][q]);
    const double t = (tau < 0 ? -1 : 1) / (std::abs(tau) + std::hypot(1, tau));
    const double c = 1 / std::hypot(1, t), s = t * c;
    for (int k = 0; k < 3; ++k) {
        const double kp = a[k][p], kq = a[k][q];
        a[k][p] = c * kp - s * kq;
        a[k][q] = s * kp + c * kq;
    }
    for (int k = 0; k < 3; ++k) {
        const double pk = a[p][k], qk = a[q][k];
        a[p][k] = c * pk - s * qk;
        a[q][k] = s * pk + c * qk;
        const double vp = vectors[p][k], vq = vectors[q][k];
        vectors[p][k] = c * vp - s * vq;
        vectors[q][k] = s * vp + c * vq;
    }
    a[p][q] = a[q][p] = 0;
}

}  // namespace

Eigen3 symmetric_eigen(Matrix3 a) {
    Matrix3 vectors{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
    for (int sweep = 0; sweep < 12; ++sweep) {  // converges quadratically: 12 is more than any matrix needs
        rotate(a, vectors, 0, 1);
        rotate(a, vectors, 0, 2);
        rotate(a, vectors, 1, 2);
    }
    Eigen3 result{{a[0][0], a[1][1], a[2][2]}, vectors};
    for (auto [i, j] : {std::pair{0, 1}, {0, 2}, {1, 2}})
        if (result.values[i] < result.values[j]) {
            std::swap(result.values[i], result.values[j]);
            std::swap(result.vectors[i], result.vectors[j]);
        }
    return result;
}

}  // namespace karyon
