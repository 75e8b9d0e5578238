#include "kernels/image/cut_patches.h"

namespace karyon::kernels {

Cost cost(const PatchShape& shape, DType out) {
    const double pixels = static_cast<double>(shape.patches) * shape.size * shape.size;
    return {3 * pixels * static_cast<double>(1 + size_of(out)) + 8.0 * shape.patches, 6 * pixels};
}

}  // namespace karyon::kernels
