#include "kernels/image/stain_transfer.h"
#include "kernels/launch.cuh"
#include "kernels/pack.cuh"

namespace karyon::kernels::gpu {
namespace {

constexpr int block_threads = 256, thread_pixels = 4;
constexpr int block_values = block_threads * thread_pixels * 3;

/// Copies values between device and shared memory, 16 bytes at a time where a whole block of them is aligned.
template <typename T>
__device__ void copy_run(const T* from, T* to, int count, bool packs) {
    if (packs && count == block_values) {
        for (int i = static_cast<int>(threadIdx.x); i < count / Pack<T>::width; i += block_threads)
            reinterpret_cast<Pack<T>*>(to)[i] = reinterpret_cast<const Pack<T>*>(from)[i];
    } else {
        for (int i = static_cast<int>(threadIdx.x); i < count; i += block_threads) to[i] = from[i];
    }
}

struct Levels {
    int at[3];
};

__device__ Levels transfer(const StainTransfer& stains, std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
    // Densities to base 2, with their sign turned: log2 of the transmitted part.
    const float part[3] = {__log2f(static_cast<float>(red + 1)) - 8, __log2f(static_cast<float>(green + 1)) - 8,
                           __log2f(static_cast<float>(blue + 1)) - 8};
    Levels levels;
#pragma unroll
    for (int out = 0; out < 3; ++out) {
        float sum = 0;
#pragma unroll
        for (int in = 0; in < 3; ++in) sum += stains.gain[in][out] * part[in];
        const float level = 256 * exp2f(fminf(sum, 0.0f)) - 1;
        levels.at[out] = __float2int_rn(fmaxf(level, 0.0f));
    }
    return levels;
}

__device__ std::uint8_t scaled(std::uint8_t*, int level, float, float) { return static_cast<std::uint8_t>(level); }
__device__ float scaled(float*, int level, float gain, float shift) { return static_cast<float>(level) * gain + shift; }

// Pixels are 3 bytes, so that a thread cannot load its own in one access: a block's share goes through shared memory,
// where a thread takes 4 pixels, 3 words, an odd distance from its neighbour's. Results go out the same way: 12 bytes,
// or 48, whose 16-byte parts meet all banks once for every 8 lanes.
template <typename T>
__global__ void __launch_bounds__(block_threads)
    stain_transfer_kernel(std::int64_t pixels, bool packs, StainTransfer stains, ChannelScale scale,
                          const std::uint8_t* levels, T* out) {
    __shared__ alignas(16) std::uint8_t in_values[block_values];
    __shared__ alignas(16) T out_values[block_values];
    const std::int64_t begin = std::int64_t{blockIdx.x} * block_values;
    const auto count = static_cast<int>(min(std::int64_t{block_values}, 3 * pixels - begin));
    const int first = static_cast<int>(threadIdx.x) * thread_pixels * 3;
    copy_run(levels + begin, in_values, count, packs);
    for (int i = max(first, count); i < first + thread_pixels * 3; ++i) in_values[i] = 0;  // of a pixel that is none
    __syncthreads();
    if (first < count) {
        using Quad = Pack<std::uint8_t, 4>;
        std::uint8_t own[12];
#pragma unroll
        for (int word = 0; word < 3; ++word) {
            const Quad quad = *reinterpret_cast<const Quad*>(in_values + first + 4 * word);
#pragma unroll
            for (int i = 0; i < 4; ++i) own[4 * word + i] = quad.at[i];
        }
        T results[12];
#pragma unroll
        for (int pixel = 0; pixel < thread_pixels; ++pixel) {
            const Levels level = transfer(stains, own[3 * pixel], own[3 * pixel + 1], own[3 * pixel + 2]);
#pragma unroll
            for (int c = 0; c < 3; ++c)
                results[3 * pixel + c] = scaled(out_values, level.at[c], scale.gain[c], scale.shift[c]);
        }
#pragma unroll
        for (int word = 0; word < 3; ++word) {
            Pack<T, 4> quad;
#pragma unroll
            for (int i = 0; i < 4; ++i) quad.at[i] = results[4 * word + i];
            *reinterpret_cast<Pack<T, 4>*>(out_values + first + 4 * word) = quad;
        }
    }
    __syncthreads();
    copy_run(out_values, out + begin, count, packs);
}

template <typename T>
void launch_transfer(Stream& stream, std::int64_t pixels, const StainTransfer& stains, const ChannelScale& scale,
                     const std::uint8_t* levels, T* out) {
    if (pixels == 0) return;
    const auto blocks = static_cast<unsigned>((3 * pixels + block_values - 1) / block_values);
    launch("stain_transfer", stream, {blocks, block_threads}, stain_transfer_kernel<T>, pixels,
           is_aligned(levels) && is_aligned(out), stains, scale, levels, out);
}

}  // namespace

void stain_transfer(Stream& stream, std::int64_t pixels, const StainTransfer& stains, const ChannelScale& scale,
                    In levels, Out out) {
    const auto* from = levels.as<std::uint8_t>();
    switch (out.dtype()) {
        case DType::u8:
            return launch_transfer(stream, pixels, stains, scale, from, out.as<std::uint8_t>());
        case DType::f32:
            return launch_transfer(stream, pixels, stains, scale, from, out.as<float>());
        default:
            throw Error("stain_transfer", "expected a result of u8 or f32 elements, got {}", name_of(out.dtype()));
    }
}

}  // namespace karyon::kernels::gpu
