#pragma once

#include <cstdint>

#include "kernels/bfloat16.h"
#include "kernels/elementwise/activation.h"

/// The inner loops of batch norm on bf16 by the processor's own instructions (kernels/bfloat16_native.h), over `count`
/// elements in tiles of `width`. They do nothing and return false on processors without AVX512-BF16.
namespace karyon::kernels::cpu::native {

/// Of a tile, [width]: z = (x - mean) * scale + beta.
struct NormTile {
    std::int64_t width;
    const float *mean, *scale, *beta;
};

/// y = f(z).
bool normalise(Activation, std::int64_t count, const NormTile&, const bfloat16* x, bfloat16* y);

/// With g = dy * f'(z): sums += g, sums_d += g * (x - mean), both [width]; left (null: nowhere) = g, or scale * g.
bool sum_gradients(Activation, std::int64_t count, const NormTile&, const bfloat16* x, const bfloat16* dy, float* sums,
                   float* sums_d, bfloat16* left, bool left_is_scaled);

/// dx = scale * (g - mean_g - (x - mean) * slope). dx may be dy.
bool finish_gradients(Activation, std::int64_t count, const NormTile&, const bfloat16* x, const bfloat16* dy,
                      const float* mean_g, const float* slope, bfloat16* dx);

}  // namespace karyon::kernels::cpu::native
