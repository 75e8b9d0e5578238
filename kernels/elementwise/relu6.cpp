#include "kernels/elementwise/relu6.h"

#include "kernels/blocks.h"
#include "kernels/simd.h"

namespace karyon::kernels {

Cost relu6_cost(std::int64_t count, DType type) {
    const auto elements = static_cast<double>(count);
    return {2 * elements * static_cast<double>(size_of(type)), 2 * elements};
}

namespace cpu {
namespace {

// ivdep: the buffers are either the same or apart, so that no element depends on another. NaN stays NaN.
KARYON_SIMD void forward_block(std::int64_t count, const float* x, float* y) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) {
        const float low = x[i] < 0.0f ? 0.0f : x[i];
        y[i] = low > 6.0f ? 6.0f : low;
    }
}

KARYON_SIMD void backward_block(std::int64_t count, const float* y, const float* dy, float* dx) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) dx[i] = y[i] > 0.0f && y[i] < 6.0f ? dy[i] : 0.0f;
}

}  // namespace

void relu6_forward(Stream&, std::int64_t count, In x, Out y) {
    const float* from = x.as<float>();
    float* to = y.as<float>();
    for_each_block(count, block_elements, [=](std::int64_t, std::int64_t begin, std::int64_t size) {
        forward_block(size, from + begin, to + begin);
    });
}

void relu6_backward(Stream&, std::int64_t count, In y, In dy, Out dx) {
    const float *values = y.as<float>(), *gradient = dy.as<float>();
    float* to = dx.as<float>();
    for_each_block(count, block_elements, [=](std::int64_t, std::int64_t begin, std::int64_t size) {
        backward_block(size, values + begin, gradient + begin, to + begin);
    });
}

}  // namespace cpu
}  // namespace karyon::kernels
