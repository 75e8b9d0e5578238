#include "kernels/elementwise/add.h"
#include "kernels/launch.cuh"
#include "kernels/pack.cuh"

namespace karyon::kernels::gpu {
namespace {

constexpr int block_threads = 256;

// One thread per 16 bytes; the last one takes the tail element by element, and so does every thread when a pointer
// into the middle of a buffer is not aligned.
template <typename T>
__global__ void add_kernel(std::int64_t count, bool aligned, const T* a, const T* b, T* y) {
    constexpr int width = Pack<T>::width;
    const std::int64_t first = (static_cast<std::int64_t>(blockIdx.x) * block_threads + threadIdx.x) * width;
    if (aligned && first + width <= count) {
        const auto left = *reinterpret_cast<const Pack<T>*>(a + first);
        const auto right = *reinterpret_cast<const Pack<T>*>(b + first);
        Pack<T> sum;
#pragma unroll
        for (int i = 0; i < width; ++i) sum.at[i] = from_float<T>(to_float(left.at[i]) + to_float(right.at[i]));
        *reinterpret_cast<Pack<T>*>(y + first) = sum;
    } else {
        for (std::int64_t i = first; i < count && i < first + width; ++i)
            y[i] = from_float<T>(to_float(a[i]) + to_float(b[i]));
    }
}

template <typename T>
void launch_add(Stream& stream, std::int64_t count, const T* a, const T* b, T* y) {
    constexpr std::int64_t per_block = block_threads * Pack<T>::width;
    const auto blocks = static_cast<unsigned>((count + per_block - 1) / per_block);
    launch("add", stream, {blocks, block_threads}, add_kernel<T>, count,
           is_aligned(a) && is_aligned(b) && is_aligned(y), a, b, y);
}

}  // namespace

void add(Stream& stream, std::int64_t count, In a, In b, Out y) {
    if (count == 0) return;
    switch (y.dtype()) {
        case DType::f32:
            return launch_add(stream, count, a.as<float>(), b.as<float>(), y.as<float>());
        case DType::bf16:
            return launch_add(stream, count, a.as<bfloat16>(), b.as<bfloat16>(), y.as<bfloat16>());
        default:
            throw Error("add", "expected f32 or bf16 elements, got {}", name_of(y.dtype()));
    }
}

}  // namespace karyon::kernels::gpu
