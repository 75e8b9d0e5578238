#include "kernels/image/stain_transfer.h"

namespace karyon::kernels {

Cost stain_transfer_cost(std::int64_t pixels, DType out) {
    const auto values = 3 * static_cast<double>(pixels);
    return {values * static_cast<double>(1 + size_of(out)), 0};
}

}  // namespace karyon::kernels
