#pragma once

#include "kernels/pack.cuh"

namespace karyon::kernels::gpu {

/// Elements of 4 bytes: what a lane takes where 32 lanes fill 32 banks, or a line of 128 bytes.
template <typename T>
inline constexpr int word_width = 4 / sizeof(T);

__device__ inline void unpack(unsigned word, float (&values)[1]) { values[0] = __uint_as_float(word); }
__device__ inline void unpack(unsigned word, float (&values)[2]) {
    values[0] = __uint_as_float(word << 16);
    values[1] = __uint_as_float(word & 0xffff0000u);
}

__device__ inline unsigned pack_word(const float (&values)[1]) { return __float_as_uint(values[0]); }
__device__ inline unsigned pack_word(const float (&values)[2]) {
    return from_float<bfloat16>(values[0]).bits | static_cast<unsigned>(from_float<bfloat16>(values[1]).bits) << 16;
}

}  // namespace karyon::kernels::gpu
