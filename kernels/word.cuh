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

/// The first `count` elements from `at` as a word, zeros behind them; at once where the address is a multiple of 4.
template <typename T>
__device__ inline unsigned load_word(const T* at, bool whole, int count) {
    if (whole) return *reinterpret_cast<const unsigned*>(at);
    float values[word_width<T>] = {};
#pragma unroll
    for (int i = 0; i < word_width<T>; ++i)
        if (i < count) values[i] = to_float(at[i]);
    return pack_word(values);
}

/// Writes the first `count` elements of a word; at once where the address is a multiple of 4.
template <typename T>
__device__ inline void store_word(T* at, const float (&values)[word_width<T>], bool whole, int count) {
    if (whole) {
        *reinterpret_cast<unsigned*>(at) = pack_word(values);
        return;
    }
#pragma unroll
    for (int i = 0; i < word_width<T>; ++i)
        if (i < count) at[i] = from_float<T>(values[i]);
}

}  // namespace karyon::kernels::gpu
