#include "kernels/elementwise/add.h"

#include "kernels/blocks.h"
#include "kernels/simd.h"

namespace karyon::kernels {

Cost add_cost(std::int64_t count, DType type) {
    const auto elements = static_cast<double>(count);
    return {3 * elements * static_cast<double>(size_of(type)), elements};
}

namespace cpu {
namespace {

KARYON_SIMD void add_block(std::int64_t count, const float* a, const float* b, float* y) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) y[i] = a[i] + b[i];
}

KARYON_SIMD void scale_block(std::int64_t count, const float* x, float scale, float* y) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) y[i] = scale * x[i];
}

KARYON_SIMD void add_scaled_block(std::int64_t count, float a, const float* x, float* y) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) y[i] += a * x[i];
}

}  // namespace

void add(Stream&, std::int64_t count, In a, In b, Out y) {
    const float *left = a.as<float>(), *right = b.as<float>();
    float* to = y.as<float>();
    for_each_block(count, block_elements, [=](std::int64_t, std::int64_t begin, std::int64_t size) {
        add_block(size, left + begin, right + begin, to + begin);
    });
}

void scale_images(Stream&, int batch, std::int64_t per_image, In x, In scale, Out y) {
    const float *from = x.as<float>(), *scales = scale.as<float>();
    float* to = y.as<float>();
    const std::int64_t blocks = block_count(per_image, block_elements);
    for_each_item(batch * blocks, [=](std::int64_t item) {
        const std::int64_t image = item / blocks, offset = item % blocks * block_elements;
        const std::int64_t begin = image * per_image + offset;
        scale_block(std::min(block_elements, per_image - offset), from + begin, scales[image], to + begin);
    });
}

void add_scaled(Stream&, std::int64_t count, float a, In x, Out y) {
    const float* from = x.as<float>();
    float* to = y.as<float>();
    for_each_block(count, block_elements, [=](std::int64_t, std::int64_t begin, std::int64_t size) {
        add_scaled_block(size, a, from + begin, to + begin);
    });
}

}  // namespace cpu
}  // namespace karyon::kernels
