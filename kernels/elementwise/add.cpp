#include "kernels/elementwise/add.h"

#include "kernels/blocks.h"
#include "kernels/float_type.h"
#include "kernels/simd.h"

namespace karyon::kernels {

Cost add_cost(std::int64_t count, DType type) {
    const auto elements = static_cast<double>(count);
    return {3 * elements * static_cast<double>(size_of(type)), elements};
}

namespace cpu {
namespace {

template <typename T>
KARYON_SIMD void add_block(std::int64_t count, const T* a, const T* b, T* y) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) y[i] = T(float(a[i]) + float(b[i]));
}

template <typename T>
KARYON_SIMD void scale_block(std::int64_t count, const T* x, float scale, T* y) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) y[i] = T(scale * float(x[i]));
}

template <typename T>
KARYON_SIMD void add_scaled_block(std::int64_t count, float a, const T* x, T* y) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) y[i] = T(float(y[i]) + a * float(x[i]));
}

}  // namespace

void add(Stream&, std::int64_t count, In a, In b, Out y) {
    with_float_type("add", y.dtype(), [=]<typename T>() {
        const T *left = a.as<T>(), *right = b.as<T>();
        T* to = y.as<T>();
        for_each_block(count, block_elements, [=](std::int64_t, std::int64_t begin, std::int64_t size) {
            add_block(size, left + begin, right + begin, to + begin);
        });
    });
}

void scale_images(Stream&, int batch, std::int64_t per_image, In x, In scale, Out y) {
    const float* scales = scale.as<float>();
    with_float_type("scale_images", y.dtype(), [=]<typename T>() {
        const T* from = x.as<T>();
        T* to = y.as<T>();
        const std::int64_t blocks = block_count(per_image, block_elements);
        for_each_item(batch * blocks, [=](std::int64_t item) {
            const std::int64_t image = item / blocks, offset = item % blocks * block_elements;
            const std::int64_t begin = image * per_image + offset;
            scale_block(std::min(block_elements, per_image - offset), from + begin, scales[image], to + begin);
        });
    });
}

void add_scaled(Stream&, std::int64_t count, float a, In x, Out y) {
    with_float_type("add_scaled", y.dtype(), [=]<typename T>() {
        const T* from = x.as<T>();
        T* to = y.as<T>();
        for_each_block(count, block_elements, [=](std::int64_t, std::int64_t begin, std::int64_t size) {
            add_scaled_block(size, a, from + begin, to + begin);
        });
    });
}

}  // namespace cpu
}  // namespace karyon::kernels
