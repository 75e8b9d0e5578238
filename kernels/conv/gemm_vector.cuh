#pragma once

#include "kernels/activation.cuh"
#include "kernels/pack.cuh"

/// A few neighbouring elements in the registers of a thread.
namespace karyon::kernels::gpu {

/// `count` elements of T, at most 16 bytes, in one access. The address must be a multiple of their size.
template <int count, typename T>
__device__ inline void load(float (&value)[count], const T* from) {
    const auto pack = *reinterpret_cast<const Pack<T, count>*>(from);
#pragma unroll
    for (int i = 0; i < count; ++i) value[i] = to_float(pack.at[i]);
}
template <int count, typename T>
__device__ inline void store(T* to, const float (&value)[count]) {
    Pack<T, count> pack;
#pragma unroll
    for (int i = 0; i < count; ++i) pack.at[i] = from_float<T>(value[i]);
    *reinterpret_cast<Pack<T, count>*>(to) = pack;
}

/// Floats of shared memory. Of 8 lanes with 8 floats each side by side, half take the second 16 bytes first, so that
/// they meet all banks.
template <int count>
__device__ inline void load_shared(float (&value)[count], const float* shared) {
    if constexpr (count == 8) {
        const bool swapped = threadIdx.x & 4;
        const float4 one = *reinterpret_cast<const float4*>(shared + (swapped ? 4 : 0));
        const float4 two = *reinterpret_cast<const float4*>(shared + (swapped ? 0 : 4));
        const float4 low = swapped ? two : one, high = swapped ? one : two;
        value[0] = low.x, value[1] = low.y, value[2] = low.z, value[3] = low.w;
        value[4] = high.x, value[5] = high.y, value[6] = high.z, value[7] = high.w;
    } else {
        load(value, shared);
    }
}
template <int count>
__device__ inline void store_shared(float* shared, const float (&value)[count]) {
    if constexpr (count == 8) {
        const bool swapped = threadIdx.x & 4;
        const float4 low{value[0], value[1], value[2], value[3]}, high{value[4], value[5], value[6], value[7]};
        *reinterpret_cast<float4*>(shared + (swapped ? 4 : 0)) = swapped ? high : low;
        *reinterpret_cast<float4*>(shared + (swapped ? 0 : 4)) = swapped ? low : high;
    } else {
        store(shared, value);
    }
}

}  // namespace karyon::kernels::gpu
