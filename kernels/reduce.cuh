#pragma once

#include <cuda_runtime.h>

/// Sums in a fixed order: the same bits every time.
namespace karyon::kernels::gpu {

inline constexpr unsigned all_lanes = 0xffffffffu;
inline constexpr int warp_lanes = 32;

/// The sum over the 32 lanes of a warp, in every lane.
template <typename T>
__device__ inline T warp_sum(T value) {
#pragma unroll
    for (int distance = warp_lanes / 2; distance > 0; distance /= 2)
        value += __shfl_xor_sync(all_lanes, value, distance);
    return value;
}

/// The sum over a block of `threads` (a multiple of 32), in every thread. All threads must call it; it synchronises.
template <int threads, typename T>
__device__ inline T block_sum(T value) {
    constexpr int warps = threads / warp_lanes;
    static_assert(threads % warp_lanes == 0 && warps <= warp_lanes);
    __shared__ T partial[warps];
    value = warp_sum(value);
    __syncthreads();  // a sum before this one may still be read
    if (threadIdx.x % warp_lanes == 0) partial[threadIdx.x / warp_lanes] = value;
    __syncthreads();
    T sum = partial[0];
#pragma unroll
    for (int warp = 1; warp < warps; ++warp) sum += partial[warp];
    return sum;
}

/// Count, mean and the sum of squared distances from the mean of some values; merged by the formula of Chan, Golub and
/// LeVeque (1979), which loses no digits where the mean is large against the deviation.
struct Moments {
    float count, mean, m2;  // without initial values, so that it may stand in shared memory

    __device__ void add(const Moments& other) {
        if (other.count == 0) return;
        const float total = count + other.count, share = other.count / total, distance = other.mean - mean;
        mean += distance * share;
        m2 += other.m2 + distance * distance * count * share;
        count = total;
    }
};

}  // namespace karyon::kernels::gpu
