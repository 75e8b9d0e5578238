#pragma once

#include <cstdint>

#include "kernels/types.h"

namespace karyon::kernels::gpu {

/// The second pass of a sum that was cut into slices, in a fixed order: sum[i] += slices[0][i] + slices[1][i] + ...;
/// slices [slice_count, count].
void add_slices(const char* op, Stream&, std::int64_t count, int slice_count, const float* slices, float* sum);

}  // namespace karyon::kernels::gpu
