#pragma once

#include "kernels/mma.cuh"

namespace karyon::kernels::gpu {

/// The bits of f32 in parts of TF32.
template <int count>
__device__ inline void split(unsigned (&big)[count], unsigned (&small)[count], const unsigned (&x)[count]) {
#pragma unroll
    for (int i = 0; i < count; ++i) {
        const SplitTf32 parts = split_tf32(x[i]);
        big[i] = parts.big, small[i] = parts.small;
    }
}

/// Adds the products of 16 rows and n * 8 columns over 32 bytes of K: 16 bf16, or 8 f32 as TF32, three products of
/// their parts or one.
template <typename T, int n>
__device__ inline void multiply_add(float (&c)[n][4], const unsigned (&a)[4], const unsigned (&b)[n][2],
                                    bool three_products) {
    if constexpr (sizeof(T) == 2) {
#pragma unroll
        for (int i = 0; i < n; ++i) mma_bf16_16x8x16(c[i], a, b[i]);
    } else {
        // (big + small)(big + small) without small * small, which is below the 21 bits that are kept.
        unsigned a_big[4], a_small[4], b_big[n][2], b_small[n][2];
        split(a_big, a_small, a);
#pragma unroll
        for (int i = 0; i < n; ++i) split(b_big[i], b_small[i], b[i]);
        if (three_products) {
#pragma unroll
            for (int i = 0; i < n; ++i) mma_tf32_16x8x8(c[i], a_small, b_big[i]);
#pragma unroll
            for (int i = 0; i < n; ++i) mma_tf32_16x8x8(c[i], a_big, b_small[i]);
        }
#pragma unroll
        for (int i = 0; i < n; ++i) mma_tf32_16x8x8(c[i], a_big, b_big[i]);
    }
}

}  // namespace karyon::kernels::gpu
