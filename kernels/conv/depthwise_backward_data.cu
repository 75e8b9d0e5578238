#include "kernels/channel_sums.cuh"
#include "kernels/conv/check_shape.h"
#include "kernels/conv/depthwise_kernel.cuh"
#include "kernels/conv/fused_depthwise_conv.h"
#include "kernels/reduce.cuh"

namespace karyon::kernels::gpu {
namespace {

using namespace depthwise;

/// dz = gradient * f'(z), and its two sums over the tile.
template <typename T>
struct BackwardFinish {
    static constexpr bool normalises_input = false;
    static constexpr int sums_bytes = block_threads / 32 * slab_channels<T> * 2 * sizeof(float);
    Images<const T> x;  ///< raw; null: the gradient as it is
    Activation activation;
    Images<T> dz;
    float* sums;  ///< [tiles, 2, channels]; null: not wanted

    template <typename Window, typename Table, typename Outputs>
    __device__ void operator()(const OutputPatch<T>& patch, int tile, const Table& table, Outputs& out,
                               char* shared) const {
        float sum[word_width<T>] = {}, sum_xhat[word_width<T>] = {};
#pragma unroll
        for (int m = 0; m < Window::rows; ++m) {
            if (x.data) multiply_slopes<Window>(patch, table, m, out[m], sum, sum_xhat);
            patch.template store_row<Window>(dz, m, out[m]);
        }
        if (!sums) return;
#pragma unroll
        for (int v = 0; v < word_width<T>; ++v) sum_xhat[v] *= table.inverse[patch.lane() * word_width<T> + v];
        write_sums(patch, tile, sum, sum_xhat, reinterpret_cast<float(*)[2][slab_channels<T>]>(shared));
    }

    /// For one row of the patch: all its loads are under way before the first is waited for.
    template <typename Window, typename Table>
    __device__ void multiply_slopes(const OutputPatch<T>& patch, const Table& table, int m,
                                    float (&out)[Window::columns][word_width<T>], float (&sum)[word_width<T>],
                                    float (&sum_xhat)[word_width<T>]) const {
        constexpr int few = 4;  // slopes at a time, for want of registers
        const bool row_inside = patch.has_row(dz, m);
        unsigned words[Window::columns];
        patch.template load_row<Window>(x, m, words);
#pragma unroll
        for (int v = 0; v < word_width<T>; ++v) {
            const int c = patch.lane() * word_width<T> + v;
            const float mean = table.mean[c], scale = table.scale[c], beta = table.beta[c];
#pragma unroll
            for (int first = 0; first < Window::columns; first += few) {
                float distance[few], slope[few];
#pragma unroll
                for (int i = 0; i < few; ++i) {
                    float value[word_width<T>];
                    unpack(words[first + i], value);
                    distance[i] = value[v] - mean;
                    slope[i] = normalised(distance[i], scale, beta);
                }
                activation_slopes(slope, activation);
#pragma unroll
                for (int i = 0; i < few; ++i) {
                    // What is outside the image has a gradient, too, that is not to be counted.
                    const bool inside = patch.column + first + i >= 0 && patch.column + first + i < dz.width;
                    float& gradient = out[first + i][v];
                    gradient = row_inside && inside ? gradient * slope[i] : 0.0f;
                    sum[v] += gradient;
                    sum_xhat[v] += gradient * distance[i];
                }
            }
        }
    }

    /// Of the two strips of a warp by a shuffle, of the warps in order.
    __device__ void write_sums(const OutputPatch<T>& patch, int tile, float (&sum)[word_width<T>],
                               float (&sum_xhat)[word_width<T>], float (*of_warp)[2][slab_channels<T>]) const {
        const int warp = static_cast<int>(threadIdx.x) / 32;
        __syncthreads();  // the staged tile is read to its end
#pragma unroll
        for (int v = 0; v < word_width<T>; ++v) {
            sum[v] += __shfl_xor_sync(all_lanes, sum[v], strip_lanes);
            sum_xhat[v] += __shfl_xor_sync(all_lanes, sum_xhat[v], strip_lanes);
            if (threadIdx.x % 32 < strip_lanes) {
                of_warp[warp][0][patch.lane() * word_width<T> + v] = sum[v];
                of_warp[warp][1][patch.lane() * word_width<T> + v] = sum_xhat[v];
            }
        }
        __syncthreads();
        const int which = static_cast<int>(threadIdx.x) / slab_channels<T>;
        const int lane = static_cast<int>(threadIdx.x) % slab_channels<T>;
        const int channel = patch.channel - patch.lane() * word_width<T> + lane;
        if (which >= 2 || channel >= dz.channels) return;
        float total = of_warp[0][which][lane];
        for (int i = 1; i < block_threads / 32; ++i) total += of_warp[i][which][lane];
        sums[(static_cast<std::ptrdiff_t>(tile) * 2 + which) * dz.channels + channel] = total;
    }
};

struct WriteSums {
    float *sum_dz, *sum_dz_xhat;
    __device__ void operator()(int, int channel, const float (&sums)[2]) const {
        sum_dz[channel] = sums[0];
        sum_dz_xhat[channel] = sums[1];
    }
};

template <typename T, typename Window>
void launch_backward_data(const char* op, Stream& stream, const DepthwiseConvShape& s, In dy, In w, In x,
                          const Prologue& prologue, Out dz, Out sum_dz, Out sum_dz_xhat) {
    const auto bytes_of = [](const Tiles& t) { return shared_bytes<T, Window>(t, BackwardFinish<T>::sums_bytes); };
    const bool correlates = s.stride == 1;
    const auto start = [&](int pad) { return correlates ? pad - (s.kernel - 1) : pad / 2 - (s.kernel - 1) / 2; };
    const Tiles origin{start(s.pad.top), start(s.pad.left), correlates ? 0 : -(s.pad.top % 2),
                       correlates ? 0 : -(s.pad.left % 2)};
    const Tiles tiles = cut_tiles<Window>(origin, s.batch, s.height, s.width, strips, bytes_of);
    const int slabs = divide_up(s.channels, slab_channels<T>);
    float* sums = nullptr;
    if (sum_dz)
        sums = static_cast<float*>(static_cast<CudaStream&>(stream).scratch(
            sizeof(float) * 2 * static_cast<std::size_t>(tiles.count()) * static_cast<std::size_t>(s.channels)));
    const BackwardFinish<T> finish{
        Images<const T>(prologue.mean ? x.as<T>() : nullptr, s.batch, s.height, s.width, s.channels),
        prologue.activation, Images<T>(dz.as<T>(), s.batch, s.height, s.width, s.channels), sums};
    launch(op, stream, {static_cast<unsigned>(tiles.count() * slabs), block_threads, std::size_t(bytes_of(tiles))},
           depthwise_kernel<T, Window, BackwardFinish<T>>, tiles, slabs,
           Images<const T>(dy.as<T>(), s.batch, s.out_height(), s.out_width(), s.channels), w.as<float>(), correlates,
           Normalisation(prologue), prologue.activation, finish);
    if (!sum_dz) return;
    fold_partial_sums<2>(op, stream, 1, tiles.count(), s.channels, sums,
                         WriteSums{sum_dz.as<float>(), sum_dz_xhat.as<float>()});
}

void backward_data(const char* op, Stream& stream, const DepthwiseConvShape& s, In dy, In w, In x,
                   const Prologue& prologue, Out dz, Out sum_dz, Out sum_dz_xhat) {
    check_depthwise(s);
    check_prologue(op, prologue);
    if (bool(sum_dz) != bool(sum_dz_xhat)) throw Error(op, "expected both sums or neither, got one");
    if (sum_dz && !prologue.mean) throw Error(op, "expected a prologue with a mean for the sums, got an empty one");
    with_float_type(op, dz.dtype(), [&]<typename T>() {
        with_kernel_size(s.kernel, [&]<int k>() {
            const auto queue = s.stride == 1 ? launch_backward_data<T, Correlation<k, 1, 2, 8>>
                                             : launch_backward_data<T, Transposed<k, 2, 8>>;
            queue(op, stream, s, dy, w, x, prologue, dz, sum_dz, sum_dz_xhat);
        });
    });
}

}  // namespace

void depthwise_conv_backward_data(Stream& stream, const DepthwiseConvShape& s, In dy, In w, Out dx) {
    backward_data("depthwise_conv_backward_data", stream, s, dy, w, {nullptr, dx.dtype()}, {}, dx, {}, {});
}

void depthwise_fused_backward_data(Stream& stream, const DepthwiseConvShape& s, In dy, In w, In x,
                                   const Prologue& prologue, Out dz, Out sum_dz, Out sum_dz_xhat) {
    backward_data("depthwise_fused_backward_data", stream, s, dy, w, x, prologue, dz, sum_dz, sum_dz_xhat);
}

}  // namespace karyon::kernels::gpu
