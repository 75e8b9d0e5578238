#pragma once

#include <cuda_bf16.h>

#include <cstddef>
#include <cstdint>

#include "kernels/bfloat16.h"

namespace karyon::kernels::gpu {

/// What one thread loads or stores in one access, from an address that is a multiple of its size: 16 bytes, or fewer
/// where another array of the same kernel has larger elements.
template <typename T, int elements = 16 / sizeof(T)>
struct alignas(elements * sizeof(T)) Pack {
    static constexpr int width = elements;
    T at[width];
};

__host__ __device__ inline bool is_aligned(const void* pointer, std::size_t bytes = 16) {
    return reinterpret_cast<std::uintptr_t>(pointer) % bytes == 0;
}

/// What one block of an elementwise kernel takes: [begin, packed) in whole packs, [packed, end) element by element.
struct BlockSpan {
    std::int64_t begin, packed, end;

    /// `size` elements from `begin` on, a multiple of `width`, cut off at `count`; all one by one unless aligned.
    __device__ BlockSpan(std::int64_t begin_, std::int64_t size, std::int64_t count, bool aligned, int width)
        : begin(begin_), end(begin_ + size < count ? begin_ + size : count) {
        packed = aligned ? end - (end - begin) % width : begin;
    }
};

__device__ inline float to_float(float value) { return value; }
__device__ inline float to_float(std::uint8_t value) { return static_cast<float>(value); }
__device__ inline float to_float(bfloat16 value) { return __uint_as_float(static_cast<unsigned>(value.bits) << 16); }

/// Rounds to nearest, ties to even, as on the CPU.
template <typename T>
__device__ T from_float(float value);
template <>
__device__ inline float from_float<float>(float value) {
    return value;
}
template <>
__device__ inline bfloat16 from_float<bfloat16>(float value) {
    bfloat16 result;
    result.bits = __bfloat16_as_ushort(__float2bfloat16_rn(value));
    return result;
}

}  // namespace karyon::kernels::gpu
