#pragma once

#include "kernels/types.h"

namespace karyon::kernels::gpu {

/// The second stage of a deterministic sum: out[i] = or += sum over `tiles` of partial[tile * stride + i], i < count,
/// in the order of the tiles.
void sum_partials(Stream&, int tiles, int count, std::ptrdiff_t stride, const float* partial, float* out, bool add);

}  // namespace karyon::kernels::gpu
