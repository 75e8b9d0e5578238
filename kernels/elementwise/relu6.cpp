#include "kernels/elementwise/relu6.h"

#include "kernels/blocks.h"
#include "kernels/float_type.h"
#include "kernels/simd.h"

namespace karyon::kernels {

Cost relu6_cost(std::int64_t count, DType type) {
    const auto elements = static_cast<double>(count);
    return {2 * elements * static_cast<double>(size_of(type)), 0};  // comparisons do not count
}

namespace cpu {
namespace {

// ivdep: the buffers are either the same or apart, so that no element depends on another. NaN stays NaN.
template <typename T>
KARYON_SIMD void forward_block(std::int64_t count, const T* x, T* y) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) {
        const auto value = float(x[i]);
        const float low = value < 0.0f ? 0.0f : value;
        y[i] = T(low > 6.0f ? 6.0f : low);
    }
}

template <typename T>
KARYON_SIMD void backward_block(std::int64_t count, const T* y, const T* dy, T* dx) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) dx[i] = T(float(y[i]) > 0.0f && float(y[i]) < 6.0f ? float(dy[i]) : 0.0f);
}

}  // namespace

void relu6_forward(Stream&, std::int64_t count, In x, Out y) {
    with_float_type("relu6", x.dtype(), [=]<typename T>() {
        const T* from = x.as<T>();
        T* to = y.as<T>();
        for_each_block(count, block_elements, [=](std::int64_t, std::int64_t begin, std::int64_t size) {
            forward_block(size, from + begin, to + begin);
        });
    });
}

void relu6_backward(Stream&, std::int64_t count, In y, In dy, Out dx) {
    with_float_type("relu6", dy.dtype(), [=]<typename T>() {
        const T *values = y.as<T>(), *gradient = dy.as<T>();
        T* to = dx.as<T>();
        for_each_block(count, block_elements, [=](std::int64_t, std::int64_t begin, std::int64_t size) {
            backward_block(size, values + begin, gradient + begin, to + begin);
        });
    });
}

}  // namespace cpu
}  // namespace karyon::kernels
