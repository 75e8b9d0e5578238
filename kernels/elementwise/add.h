#pragma once

#include "kernels/types.h"

namespace karyon::kernels {

/// Of y = a + b over `count` elements.
Cost add_cost(std::int64_t count, DType);

namespace cpu {

/// y = a + b; any of the three may be the same buffer. The gradient of both inputs is dy itself.
void add(Stream&, std::int64_t count, In a, In b, Out y);
/// y[n, i] = scale[n] * x[n, i]: drop-connect (stochastic depth) with scale 0 or 1 / keep_probability per image.
/// Its gradient is itself applied to dy. x [batch, per_image], scale [batch] f32.
void scale_images(Stream&, int batch, std::int64_t per_image, In x, In scale, Out y);
/// y += a * x, f32: a term of a weighted sum of losses.
void add_scaled(Stream&, std::int64_t count, float a, In x, Out y);

}  // namespace cpu

namespace gpu {

/// As cpu::add, on device memory of the stream's GPU; f32 and bf16. Aligned to 16 bytes, 16 bytes move at a time.
void add(Stream&, std::int64_t count, In a, In b, Out y);
/// As cpu::scale_images; x and y f32 or bf16, scale f32.
void scale_images(Stream&, int batch, std::int64_t per_image, In x, In scale, Out y);
void add_scaled(Stream&, std::int64_t count, float a, In x, Out y);

}  // namespace gpu
}  // namespace karyon::kernels
