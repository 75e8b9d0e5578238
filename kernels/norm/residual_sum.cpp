#include "kernels/norm/residual_sum.h"

namespace karyon::kernels {
namespace {

double element_bytes(const ResidualSumShape& shape, DType type) {
    return static_cast<double>(shape.rows) * shape.channels * static_cast<double>(size_of(type));
}

}  // namespace

// Operations are those of two norms: a shortcut without one is normalised by 0, 1 and 0.

Cost residual_sum_cost(const ResidualSumShape& shape, bool two_norms, DType type) {
    return {3 * element_bytes(shape, type) + (two_norms ? 8.0 : 4.0) * sizeof(float) * shape.channels,
            6.0 * static_cast<double>(shape.rows) * shape.channels};
}

Cost residual_sum_backward_cost(const ResidualSumShape& shape, bool two_norms, DType type) {
    return {4 * element_bytes(shape, type) + (two_norms ? 11.0 : 6.0) * sizeof(float) * shape.channels,
            13.0 * static_cast<double>(shape.rows) * shape.channels};
}

}  // namespace karyon::kernels
