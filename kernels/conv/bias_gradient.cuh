#pragma once

#include <cstdint>

#include "kernels/types.h"

namespace karyon::kernels::gpu {

/// dbias[c] += the sum over the rows of dy [rows, channels], f32 or bf16.
void add_bias_gradient(const char* op, Stream&, std::int64_t rows, int channels, In dy, float* dbias);

}  // namespace karyon::kernels::gpu
