#include "kernels/excite/fused_excite.h"

namespace karyon::kernels {

// z takes 3 operations; f and f' share the exponential and the division.

Cost excite_fused_gate_cost(const SqueezeExciteShape& shape, DType type) {
    Cost cost = squeeze_excite_gate_cost(shape, type);
    const double channels = shape.channels, elements = channels * static_cast<double>(shape.batch * shape.pixels);
    cost.bytes += 4 * sizeof(float) * channels;
    cost.flops += (3 + activation_flops(Activation::silu)) * elements;
    return cost;
}

Cost excite_fused_backward_cost(const SqueezeExciteShape& shape, DType type) {
    Cost cost = squeeze_excite_backward_cost(shape, type);
    const double channels = shape.channels, elements = channels * static_cast<double>(shape.batch * shape.pixels);
    // d is read once more; four more sums pass from kernel to kernel; dgamma and dbeta are added to.
    cost.bytes += elements * static_cast<double>(size_of(type)) +
                  sizeof(float) * (2 * 4 * channels * static_cast<double>(shape.batch) + 8 * channels);
    // The five sums, then dd, against 4 operations of the plain way back.
    cost.flops += (21 + 9 + activation_slope_flops(Activation::silu) - 4) * elements;
    return cost;
}

}  // namespace karyon::kernels
