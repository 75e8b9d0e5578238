#pragma once

#include "kernels/conv/depthwise_normalise.cuh"
#include "kernels/conv/depthwise_tiles.cuh"
#include "kernels/launch.cuh"

namespace karyon::kernels::gpu::depthwise {

/// What a block holds in shared memory in front of the staged tile.
template <typename T, int kernel>
struct alignas(64) Tables {
    float weights[kernel * kernel][slab_channels<T>];
    ChannelTable<slab_channels<T>> norm;

    __device__ void fill_weights(const float* w, bool reversed, int first, int channels) {
        constexpr int taps = kernel * kernel, width = slab_channels<T>;
        for (int i = static_cast<int>(threadIdx.x); i < taps * width; i += block_threads) {
            const int tap = i / width, c = first + i % width;
            weights[tap][i % width] = c < channels ? w[(reversed ? taps - 1 - tap : tap) * channels + c] : 0.0f;
        }
    }
};

/// Where the outputs of a thread's patch belong.
template <typename T>
struct OutputPatch {
    int image, row, column;
    int channel;  ///< the lane's first
    int count;    ///< how many of the word's channels there are; 0 or less behind the last one, and without a patch

    /// Of the strip; computed again where it is needed, for want of registers.
    __device__ static int lane() { return static_cast<int>(threadIdx.x) % strip_lanes; }
    template <typename U>
    __device__ bool has_row(const Images<U>& images, int m) const {
        return count > 0 && row + m >= 0 && row + m < images.height;
    }
    /// Calls visit(n, index of the element, whether it is there) for every output [m, n] of a row of the patch.
    template <typename Window, typename U, typename Visit>
    __device__ void for_each_in_row(const Images<U>& images, int m, Visit visit) const {
        std::ptrdiff_t at =
            images.row(image, row + m) + static_cast<std::ptrdiff_t>(column) * images.channels + channel;
        const bool row_inside = has_row(images, m);
#pragma unroll
        for (int n = 0; n < Window::columns; ++n, at += images.channels)
            visit(n, at, row_inside && column + n >= 0 && column + n < images.width);
    }
    template <typename Window, typename U, typename Visit>
    __device__ void for_each_output(const Images<U>& images, Visit visit) const {
#pragma unroll
        for (int m = 0; m < Window::rows; ++m)
            for_each_in_row<Window>(images, m, [&](int n, std::ptrdiff_t at, bool inside) { visit(m, n, at, inside); });
    }

    /// The words of row m, 0 where there is none.
    template <typename Window>
    __device__ void load_row(const Images<const T>& images, int m, unsigned (&words)[Window::columns]) const {
        if (images.vectors)
            for_each_in_row<Window>(images, m, [&](int n, std::ptrdiff_t at, bool inside) {
                words[n] = inside ? *reinterpret_cast<const unsigned*>(images.data + at) : 0;
            });
        else
            for_each_in_row<Window>(images, m, [&](int n, std::ptrdiff_t at, bool inside) {
                float values[word_width<T>] = {};
#pragma unroll
                for (int v = 0; v < word_width<T>; ++v)
                    if (inside && v < count) values[v] = to_float(images.data[at + v]);
                words[n] = pack_word(values);
            });
    }

    template <typename Window>
    __device__ void store_row(const Images<T>& images, int m,
                              const float (&out)[Window::columns][word_width<T>]) const {
        if (images.vectors)
            for_each_in_row<Window>(images, m, [&](int n, std::ptrdiff_t at, bool inside) {
                if (inside) *reinterpret_cast<unsigned*>(images.data + at) = pack_word(out[n]);
            });
        else
            for_each_in_row<Window>(images, m, [&](int n, std::ptrdiff_t at, bool inside) {
#pragma unroll
                for (int v = 0; v < word_width<T>; ++v)
                    if (inside && v < count) images.data[at + v] = from_float<T>(out[n][v]);
            });
    }
};

/// y = f(out + bias), where `out` becomes it; a null bias is 0. With y.vectors, bias is aligned to 16 bytes as well.
template <typename Window, typename T>
__device__ inline void store_activated(const OutputPatch<T>& patch, const Images<T>& y, const float* bias, Activation f,
                                       float (&out)[Window::rows][Window::columns][word_width<T>]) {
    Pack<float, word_width<T>> shift{};
    if (word_width < T >> 1 && bias && y.vectors && patch.count > 0) {
        shift = *reinterpret_cast<const Pack<float, word_width<T>>*>(bias + patch.channel);
    } else {
#pragma unroll
        for (int v = 0; v < word_width<T>; ++v)
            if (bias && v < patch.count) shift.at[v] = bias[patch.channel + v];
    }
#pragma unroll
    for (int m = 0; m < Window::rows; ++m) {
#pragma unroll
        for (int n = 0; n < Window::columns; ++n)
#pragma unroll
            for (int v = 0; v < word_width<T>; ++v) out[m][n][v] += shift.at[v];
        activate_all(reinterpret_cast<float(&)[Window::columns * word_width<T>]>(out[m]), f);
        patch.template store_row<Window>(y, m, out[m]);
    }
}

/// out[m][n] = the sum over the taps of the patch's inputs, for the channels of one lane.
template <typename T, typename Window>
__device__ inline void correlate_patch(const PatchInputs<Window>& inputs, const float (*weights)[slab_channels<T>],
                                       float (&out)[Window::rows][Window::columns][word_width<T>]) {
#pragma unroll
    for (int i = 0; i < Window::in_rows; ++i)
#pragma unroll
        for (int j = 0; j < Window::in_columns; ++j) {
            float x[word_width<T>];
            unpack(inputs.at(i, j), x);
            for_each_tap<Window>(i, j, [&](int r, int s, int m, int n) {
                const auto weight =
                    *reinterpret_cast<const Pack<float, word_width<T>>*>(weights[r * Window::kernel + s]);
#pragma unroll
                for (int v = 0; v < word_width<T>; ++v) out[m][n][v] += x[v] * weight.at[v];
            });
        }
}

/// One tile and one slab a block: stages the inputs (normalised, where Finish says so), takes the sums of the taps, and
/// hands each thread's patch to finish(patch, tile, channels' parameters, shared memory for sums over the block).
template <typename T, typename Window, typename Finish>
__global__ void __launch_bounds__(block_threads, 3)
    depthwise_kernel(Tiles tiles, int slabs, Images<const T> x, const float* w, bool reversed, Normalisation norm,
                     Activation f, Finish finish) {
    extern __shared__ __align__(128) char shared[];
    auto& tables = *reinterpret_cast<Tables<T, Window::kernel>*>(shared);
    char* staged = shared + sizeof(tables);

    const int slab = static_cast<int>(blockIdx.x) % slabs, tile = static_cast<int>(blockIdx.x) / slabs;
    const int first_channel = slab * slab_channels<T>;
    const TileStart start(tiles, tile);
    const Stage<Window> stage(tiles);
    stage_tile(stage, tiles, start, slab, x, staged);
    tables.fill_weights(w, reversed, first_channel, x.channels);
    if (norm.mean) tables.norm.fill(norm, first_channel, x.channels);
    if (Finish::normalises_input && norm.mean) {
        __syncthreads();
        cp_async_wait<0>();
        normalise_tile(stage, tiles, start, x, tables.norm, f, staged);
    }
    cp_async_wait<0>();
    __syncthreads();

    const int strip = static_cast<int>(threadIdx.x) / strip_lanes, lane = static_cast<int>(threadIdx.x) % strip_lanes;
    const Patch patch(tiles, strip);
    const int channel = first_channel + lane * word_width<T>;
    const bool has_patch = patch.image < tiles.images && start.image + patch.image < x.batch;
    const OutputPatch<T> to{start.image + patch.image, tiles.out_top + (start.row + patch.row) * Window::rows,
                            tiles.out_left + (start.column + patch.column) * Window::columns, channel,
                            has_patch ? x.channels - channel : 0};
    float out[Window::rows][Window::columns][word_width<T>] = {};
    if (has_patch)
        correlate_patch<T, Window>(
            PatchInputs<Window>(stage, staged, patch, lane),
            reinterpret_cast<const float(*)[slab_channels<T>]>(tables.weights[0] + lane * word_width<T>), out);
    finish.template operator()<Window>(to, tile, tables.norm, out, staged);
}

/// Bytes of shared memory of a block.
template <typename T, typename Window>
int shared_bytes(const Tiles& tiles, int sums_bytes) {
    return static_cast<int>(sizeof(Tables<T, Window::kernel>)) +
           std::max(Stage<Window>(tiles).bytes(tiles.images), sums_bytes);
}

}  // namespace karyon::kernels::gpu::depthwise
