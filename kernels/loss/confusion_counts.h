#pragma once

#include <cstdint>

#include "kernels/host_device.h"

namespace karyon::kernels {

/// What one pass over the pixels counts, as whole numbers in double: exact up to 2^53.
struct ConfusionSums {
    double both = 0, predicted = 0, target = 0;

    /// Writes the counts and, where it is not null, Dice.
    KARYON_HOST_DEVICE void write(std::int64_t count, std::int32_t* counts, float* dice) const {
        counts[0] = static_cast<std::int32_t>(both);
        counts[1] = static_cast<std::int32_t>(predicted - both);
        counts[2] = static_cast<std::int32_t>(target - both);
        counts[3] = static_cast<std::int32_t>(static_cast<double>(count) - predicted - target + both);
        if (dice) *dice = predicted + target > 0 ? static_cast<float>(2 * both / (predicted + target)) : 1.0f;
    }
};

}  // namespace karyon::kernels
