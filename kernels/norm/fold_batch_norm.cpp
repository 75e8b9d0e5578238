#include "kernels/norm/fold_batch_norm.h"

namespace karyon::kernels {

Cost cost(const FoldShape& shape, DType folded) {
    const double count = 1.0 * shape.channels * shape.weights;
    return {count * static_cast<double>(sizeof(float) + size_of(folded)) + 5.0 * sizeof(float) * shape.channels,
            count + 6.0 * shape.channels};
}

}  // namespace karyon::kernels
