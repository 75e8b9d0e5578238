#pragma once

#include "kernels/conv/depthwise_kernel.cuh"
#include "kernels/conv/gemm_multiply.cuh"

/// How a block makes the inputs of a depthwise convolution out of x: the pixels of a tile with their halo are the rows
/// of a matrix product, the channels of a slab its columns.
namespace karyon::kernels::gpu::depthwise {

/// What a block holds in shared memory, one behind the other. Rows of x and of the weights are filled up with zeros to
/// whole steps of 32 bytes along K; 16 more bytes make 8 rows begin in 8 different sixteenths of the banks' 128 bytes.
template <typename T, typename Window>
struct ExpandMemory {
    static constexpr int slab = slab_channels<T>, taps = Window::kernel * Window::kernel;
    Stage<Window> stage;
    int steps, row_bytes, pixels, rows;          ///< of x: rows are pixels, up to a multiple of 16
    int bias, weights, slots, x, staged, bytes;  ///< where they begin, behind the taps; and where all ends

    ExpandMemory(const Tiles& tiles, int in_channels)
        : stage(tiles),
          steps((in_channels * int(sizeof(T)) + 31) / 32),
          row_bytes(steps * 32 + 16),
          pixels(tiles.images * stage.rows * stage.columns),
          rows((pixels + 15) / 16 * 16),
          bias(taps * slab * int(sizeof(float))),
          weights(bias + slab * int(sizeof(float))),
          slots(weights + slab * row_bytes),
          x(slots + rows * int(sizeof(int))),
          staged(x + rows * row_bytes),
          bytes(staged + stage.bytes(tiles.images)) {}
};

/// Where a row of x goes when it is expanded: the offset of its slot in the stage, a multiple of 64, to which `outside`
/// is added where the pixel is outside the image and stands for a zero; nowhere: behind the last pixel.
inline constexpr int outside = 1, nowhere = -1;

/// Queues the copies of x, and makes the slots.
template <typename T, typename Window>
__device__ void stage_pixels(const ExpandMemory<T, Window>& memory, const Tiles& tiles, const TileStart& start,
                             const Images<const T>& x, char* shared) {
    const Stage<Window>& stage = memory.stage;
    const int top = tiles.in_top + start.row * Window::row_step,
              left = tiles.in_left + start.column * Window::column_step, packs = memory.steps * 2;
    int* const slots = reinterpret_cast<int*>(shared + memory.slots);
#pragma unroll 1
    for (int i = static_cast<int>(threadIdx.x); i < memory.rows * packs; i += block_threads) {
        const int pixel = i / packs, pack = i - pixel * packs, line = pixel / stage.columns;
        const int column = pixel - line * stage.columns, image = line / stage.rows, row = line - image * stage.rows;
        const int h = top + row, v = left + column;
        const bool inside =
            pixel < memory.pixels && start.image + image < x.batch && h >= 0 && h < x.height && v >= 0 && v < x.width;
        const T* const from =
            x.data + (inside ? x.row(start.image + image, h) : 0) + static_cast<std::ptrdiff_t>(v) * x.channels;
        stage_pack(shared + memory.x + pixel * memory.row_bytes + pack * 16, from, inside, pack * Pack<T>::width,
                   x.channels, x.vectors, x.data);
        if (pack == 0)
            slots[pixel] = pixel < memory.pixels ? stage.offset(image, row, column) + (inside ? 0 : outside) : nowhere;
    }
}

/// A 16x8 product leaves columns 2 j and 2 j + 1 of a row in lane j of four. Which channel a column stands for is free:
/// those of a slab are dealt out such that the products leave 16 bytes of neighbouring channels in a lane.
template <typename T>
__device__ inline int column_of_channel(int channel) {
    constexpr int width = Pack<T>::width;
    return channel % width / 2 * 8 + channel / width * 2 + channel % 2;
}

/// Queues the copies of the slab's rows of the weights [channels, in_channels], and of its bias, which may be null.
template <typename T, typename Window>
__device__ void stage_weights(const ExpandMemory<T, Window>& memory, const T* weights, const float* bias, int first,
                              int channels, int in_channels, bool vectors, bool bias_vectors, char* shared) {
    const int packs = memory.steps * 2;
#pragma unroll 1
    for (int i = static_cast<int>(threadIdx.x); i < memory.slab * packs; i += block_threads) {
        const int row = i / packs, pack = i - row * packs, channel = first + row;
        stage_pack(shared + memory.weights + column_of_channel<T>(row) * memory.row_bytes + pack * 16,
                   weights + static_cast<std::ptrdiff_t>(channel) * in_channels, channel < channels,
                   pack * Pack<T>::width, in_channels, vectors, weights);
    }
    constexpr int width = Pack<float>::width;
    if (const int pack = static_cast<int>(threadIdx.x); pack < memory.slab / width)
        stage_pack(shared + memory.bias + pack * 16, bias, bias != nullptr, first + pack * width, channels,
                   bias_vectors, reinterpret_cast<const float*>(weights));
}

/// Queues the copies of the slab's taps [k * k, channels].
template <typename T, typename Window>
__device__ void stage_taps(const ExpandMemory<T, Window>& memory, const float* taps, int first, int channels,
                           bool vectors, char* shared) {
    constexpr int packs = memory.slab / Pack<float>::width;
#pragma unroll 1
    for (int i = static_cast<int>(threadIdx.x); i < memory.taps * packs; i += block_threads)
        stage_pack(shared + i * 16, taps + i / packs * channels, true, first + i % packs * Pack<float>::width, channels,
                   vectors, taps);
}

/// f(x w + bias) of all pixels into their slots; a warp takes 16 pixels at a time.
template <typename T, typename Window>
__device__ void expand_tile(const ExpandMemory<T, Window>& memory, Activation f, bool three_products, char* shared) {
    constexpr int products = memory.slab / 8, width = Pack<T>::width;
    static_assert(2 * products == width);
    const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
    const char* const x = shared + memory.x + lane % 16 * memory.row_bytes + lane / 16 * 16;
    const char* const weights =
        shared + memory.weights + (lane % 8 + lane / 16 * 8) * memory.row_bytes + lane / 8 % 2 * 16;
    const int* const slots = reinterpret_cast<const int*>(shared + memory.slots);
    const float* const bias = reinterpret_cast<const float*>(shared + memory.bias) + lane % 4 * width;
#pragma unroll 1
    for (int row = warp * 16; row < memory.rows; row += block_threads / 32 * 16) {
        float sum[products][4] = {};
#pragma unroll 1
        for (int step = 0; step < memory.steps; ++step) {
            unsigned a[4], b[products][2];
            ldmatrix_x4(a, x + row * memory.row_bytes + step * 32);
#pragma unroll
            for (int n = 0; n < products; n += 2) {
                unsigned pair[4];
                ldmatrix_x4(pair, weights + n * 8 * memory.row_bytes + step * 32);
                b[n][0] = pair[0], b[n][1] = pair[1], b[n + 1][0] = pair[2], b[n + 1][1] = pair[3];
            }
            multiply_add<T>(sum, a, b, three_products);
        }
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const int slot = slots[row + lane / 4 + 8 * half];
            if (slot == nowhere) continue;
            float value[width];
#pragma unroll
            for (int i = 0; i < width; i += 4)
                *reinterpret_cast<float4*>(value + i) = *reinterpret_cast<const float4*>(bias + i);
#pragma unroll
            for (int i = 0; i < width; ++i) value[i] += sum[i / 2][2 * half + i % 2];
            activate_all(value, f);
            Pack<T> pack;
#pragma unroll
            for (int i = 0; i < width; ++i) pack.at[i] = from_float<T>(slot & outside ? 0.0f : value[i]);
            store_shared_16(shared + memory.staged + (slot & ~outside) + lane % 4 * 16,
                            reinterpret_cast<const float4&>(pack));
        }
    }
}

}  // namespace karyon::kernels::gpu::depthwise
