#pragma once

#include "kernels/types.h"

namespace karyon::kernels {
namespace cpu {

/// y = value, f32 [count].
void fill(Stream&, std::int64_t count, float value, Out y);

}  // namespace cpu

namespace gpu {

void fill(Stream&, std::int64_t count, float value, Out y);

}  // namespace gpu
}  // namespace karyon::kernels
