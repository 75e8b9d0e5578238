#pragma once

#include <cstdint>

#include "kernels/types.h"

/// The second pass of reductions that were cut into slices: in a fixed order, so that sums have the same bits every
/// time.
namespace karyon::kernels::gpu {

/// sum[i] += slices[0][i] + slices[1][i] + ...; slices [slice_count, count].
void add_slices(const char* op, Stream&, std::int64_t count, int slice_count, const float* slices, float* sum);

/// sum[c] += the sum over the rows of x [rows, columns], f32 or bf16: the gradient of a bias.
void add_column_sums(const char* op, Stream&, std::int64_t rows, int columns, In x, float* sum);

}  // namespace karyon::kernels::gpu
