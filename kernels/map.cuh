#pragma once

#include <algorithm>
#include <type_traits>

#include "kernels/launch.cuh"
#include "kernels/pack.cuh"

namespace karyon::kernels::gpu {

inline constexpr int map_threads = 256;
/// Packs of one thread: what an op reads once, such as the scalar of a loss, weighs less against the arrays.
inline constexpr int map_packs = 2;

/// Elements that fill 16 bytes of the array with the largest ones; the others are read and written in as many.
template <typename... T>
inline constexpr int common_width = 16 / static_cast<int>(std::max({sizeof(T)...}));

/// Whether packs of `width` elements may be taken from each of the arrays.
template <int width, typename... T>
bool are_aligned(const T*... arrays) {
    return (is_aligned(arrays, width * sizeof(T)) && ...);
}

/// op(a, b), or op(a) for an op of one argument.
template <typename Op>
__device__ float apply(const Op& op, float a, float b) {
    if constexpr (std::is_invocable_v<const Op&, float>)
        return op(a);
    else
        return op(a, b);
}

// All loads of a thread stand before its first store, so that they are in flight together: y may be one of the inputs,
// hence the compiler could not move them there.
template <typename Op, typename A, typename B, typename Y>
__global__ void __launch_bounds__(map_threads)
    map_kernel(std::int64_t count, bool aligned, Op op, const A* a, const B* b, Y* y) {
    constexpr int width = common_width<A, B, Y>, per_block = map_threads * width * map_packs;
    const BlockSpan span(std::int64_t{blockIdx.x} * per_block, per_block, count, aligned, width);
    const std::int64_t first = span.begin + static_cast<int>(threadIdx.x) * width;
    Pack<A, width> left[map_packs];
    Pack<B, width> right[map_packs];
    Pack<Y, width> result[map_packs];
#pragma unroll
    for (int k = 0; k < map_packs; ++k) {
        const std::int64_t at = first + k * map_threads * width;
        if (at >= span.packed) continue;
        left[k] = *reinterpret_cast<const Pack<A, width>*>(a + at);
        right[k] = *reinterpret_cast<const Pack<B, width>*>(b + at);
    }
#pragma unroll
    for (int k = 0; k < map_packs; ++k)
#pragma unroll
        for (int i = 0; i < width; ++i)
            result[k].at[i] = from_float<Y>(apply(op, to_float(left[k].at[i]), to_float(right[k].at[i])));
#pragma unroll
    for (int k = 0; k < map_packs; ++k) {
        const std::int64_t at = first + k * map_threads * width;
        if (at < span.packed) *reinterpret_cast<Pack<Y, width>*>(y + at) = result[k];
    }
    for (std::int64_t at = span.packed + threadIdx.x; at < span.end; at += map_threads)
        y[at] = from_float<Y>(apply(op, to_float(a[at]), to_float(b[at])));
}

/// y[i] = op(a[i], b[i]) over `count` elements, 16 bytes at a time where the pointers allow; y may be a or b. op is a
/// small struct with `__device__ float operator()(float, float) const`.
template <typename Op, typename A, typename B, typename Y>
void map(const char* name, Stream& stream, std::int64_t count, const Op& op, const A* a, const B* b, Y* y) {
    if (count == 0) return;
    constexpr int width = common_width<A, B, Y>;
    constexpr std::int64_t per_block = map_threads * width * map_packs;
    const auto blocks = static_cast<unsigned>((count + per_block - 1) / per_block);
    launch(name, stream, {blocks, map_threads}, map_kernel<Op, A, B, Y>, count, are_aligned<width>(a, b, y), op, a, b,
           y);
}

/// y[i] = op(a[i]).
template <typename Op, typename A, typename Y>
void map(const char* name, Stream& stream, std::int64_t count, const Op& op, const A* a, Y* y) {
    map(name, stream, count, op, a, a, y);
}

}  // namespace karyon::kernels::gpu
