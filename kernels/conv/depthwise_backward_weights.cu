#include "kernels/channel_sums.cuh"
#include "kernels/conv/check_shape.h"
#include "kernels/conv/depthwise_normalise.cuh"
#include "kernels/conv/depthwise_tiles.cuh"
#include "kernels/conv/fused_depthwise_conv.h"
#include "kernels/reduce.cuh"

namespace karyon::kernels::gpu {
namespace {

using namespace depthwise;

/// The gradient of y as it is staged: the patches of Window's outputs, next to each other.
template <typename Window>
using Gradients = Correlation<1, 1, Window::rows, Window::columns>;

/// sum[r][s] += what the inputs and output gradients of one patch give, for the channels of one lane.
template <typename T, typename Window>
__device__ inline void add_patch(const PatchInputs<Window>& inputs, const PatchInputs<Gradients<Window>>& gradients,
                                 float (&sum)[Window::kernel][Window::kernel][word_width<T>]) {
    float dy[Window::rows][Window::columns][word_width<T>];
#pragma unroll
    for (int m = 0; m < Window::rows; ++m)
#pragma unroll
        for (int n = 0; n < Window::columns; ++n) unpack(gradients.at(m, n), dy[m][n]);
#pragma unroll
    for (int i = 0; i < Window::in_rows; ++i)
#pragma unroll
        for (int j = 0; j < Window::in_columns; ++j) {
            float x[word_width<T>];
            unpack(inputs.at(i, j), x);
            for_each_tap<Window>(i, j, [&](int r, int s, int m, int n) {
#pragma unroll
                for (int v = 0; v < word_width<T>; ++v) sum[r][s][v] += x[v] * dy[m][n][v];
            });
        }
}

/// A block takes tiles [split * tiles_per_split, ...) of one slab. Where there is one split it adds to dw itself;
/// else it writes partial[split], [k, k, channels].
template <typename T, typename Window>
__global__ void __launch_bounds__(block_threads, Window::kernel == 3 ? 3 : 2)
    depthwise_weights_kernel(Tiles tiles, Tiles dy_tiles, int slabs, int tiles_per_split, Images<const T> x,
                             Images<const T> dy, Normalisation norm, Activation f, float* partial, float* dw) {
    extern __shared__ __align__(128) char shared[];
    constexpr int taps = Window::kernel * Window::kernel, width = slab_channels<T>;
    auto& table = *reinterpret_cast<ChannelTable<width>*>(shared);
    char* staged = shared + sizeof(table);
    const Stage<Window> stage(tiles);
    const Stage<Gradients<Window>> dy_stage(dy_tiles);
    char* dy_staged = staged + stage.bytes(tiles.images);

    const int slab = static_cast<int>(blockIdx.x) % slabs, split = static_cast<int>(blockIdx.x) / slabs;
    const int strip = static_cast<int>(threadIdx.x) / strip_lanes, lane = static_cast<int>(threadIdx.x) % strip_lanes;
    if (norm.mean) table.fill(norm, slab * width, x.channels);
    float sum[Window::kernel][Window::kernel][word_width<T>] = {};
    const int end = min((split + 1) * tiles_per_split, tiles.count());
    for (int tile = split * tiles_per_split; tile < end; ++tile) {
        __syncthreads();  // the tile before is read to its end; the table is written
        const TileStart start(tiles, tile);
        stage_tile(stage, tiles, start, slab, x, staged);
        stage_tile(dy_stage, dy_tiles, start, slab, dy, dy_staged);
        cp_async_wait<0>();
        if (norm.mean) normalise_tile(stage, tiles, start, x, table, f, staged);
        __syncthreads();
        for (int i = strip; i < tiles.images * tiles.rows * tiles.columns; i += strips) {
            const Patch patch(tiles, i);
            add_patch<T, Window>({stage, staged, patch, lane}, {dy_stage, dy_staged, patch, lane}, sum);
        }
    }

    // Of the two strips of a warp by a shuffle, of the warps in order.
    auto* of_warp = reinterpret_cast<float(*)[taps][width]>(staged);
    __syncthreads();
#pragma unroll
    for (int tap = 0; tap < taps; ++tap)
#pragma unroll
        for (int v = 0; v < word_width<T>; ++v) {
            float& mine = sum[tap / Window::kernel][tap % Window::kernel][v];
            mine += __shfl_xor_sync(all_lanes, mine, strip_lanes);
            if (threadIdx.x % 32 < strip_lanes) of_warp[threadIdx.x / 32][tap][lane * word_width<T> + v] = mine;
        }
    __syncthreads();
    for (int i = static_cast<int>(threadIdx.x); i < taps * width; i += block_threads) {
        const int tap = i / width, c = slab * width + i % width;
        if (c >= x.channels) continue;
        float total = of_warp[0][tap][i % width];
        for (int warp = 1; warp < block_threads / 32; ++warp) total += of_warp[warp][tap][i % width];
        const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(tap) * x.channels + c;
        if (partial)
            partial[static_cast<std::ptrdiff_t>(split) * taps * x.channels + at] = total;
        else
            dw[at] += total;
    }
}

/// Enough blocks for a large GPU, and more where the partial sums, written and read, stay below a twentieth of the
/// bytes that are read anyway.
int split_count(const DepthwiseConvShape& s, int tiles, int slabs, std::size_t element) {
    constexpr int least_blocks = 128, most_blocks = 1024;
    const double pixels = double(s.batch) * (double(s.height) * s.width + double(s.out_height()) * s.out_width());
    const double of_sums = 2 * sizeof(float) * double(s.kernel) * s.kernel;
    const double cheap = std::min(pixels * double(element) / (20 * of_sums), double(most_blocks / slabs));
    return std::clamp(std::max(static_cast<int>(cheap), least_blocks / slabs), 1, tiles);
}

struct AddTo {
    float* dw;
    __device__ void operator()(int, int i, const float (&sum)[1]) const { dw[i] += sum[0]; }
};

template <typename T, typename Window>
void launch_backward_weights(const char* op, Stream& stream, const DepthwiseConvShape& s, In x,
                             const Prologue& prologue, In dy, Out dw) {
    constexpr int max_patches = strips * Window::rows;
    constexpr int taps = Window::kernel * Window::kernel, width = slab_channels<T>;
    const auto bytes_of = [](const Tiles& t) {
        const int staged = Stage<Window>(t).bytes(t.images) + Stage<Gradients<Window>>(t).bytes(t.images);
        const int sums = block_threads / 32 * taps * width * int(sizeof(float));
        return static_cast<int>(sizeof(ChannelTable<width>)) + std::max(staged, sums);
    };
    const Tiles tiles =
        cut_tiles<Window>({-s.pad.top, -s.pad.left}, s.batch, s.out_height(), s.out_width(), max_patches, bytes_of);
    Tiles dy_tiles = tiles;
    dy_tiles.in_top = dy_tiles.in_left = 0;
    const int slabs = divide_up(s.channels, width);
    const int per_split = divide_up(tiles.count(), split_count(s, tiles.count(), slabs, sizeof(T)));
    const int splits = divide_up(tiles.count(), per_split);
    const std::size_t size = static_cast<std::size_t>(taps) * static_cast<std::size_t>(s.channels);
    float* partial = nullptr;
    if (splits > 1)
        partial = static_cast<float*>(
            static_cast<CudaStream&>(stream).scratch(sizeof(float) * static_cast<std::size_t>(splits) * size));
    launch(op, stream,
           {static_cast<unsigned>(splits * slabs), block_threads, static_cast<std::size_t>(bytes_of(tiles))},
           depthwise_weights_kernel<T, Window>, tiles, dy_tiles, slabs, per_split,
           Images<const T>(x.as<T>(), s.batch, s.height, s.width, s.channels),
           Images<const T>(dy.as<T>(), s.batch, s.out_height(), s.out_width(), s.channels), Normalisation(prologue),
           prologue.activation, partial, dw.as<float>());
    if (partial) fold_partial_sums<1>(op, stream, 1, splits, static_cast<int>(size), partial, AddTo{dw.as<float>()});
}

void backward_weights(const char* op, Stream& stream, const DepthwiseConvShape& s, In x, const Prologue& prologue,
                      In dy, Out dw) {
    check_depthwise(s);
    check_prologue(op, prologue);
    with_float_type(op, x.dtype(), [&]<typename T>() {
        with_kernel_size(s.kernel, [&]<int k>() {
            const auto queue = s.stride == 1 ? launch_backward_weights<T, Correlation<k, 1, 2, 4>>
                                             : launch_backward_weights<T, Correlation<k, 2, 1, 4>>;
            queue(op, stream, s, x, prologue, dy, dw);
        });
    });
}

}  // namespace

void depthwise_conv_backward_weights(Stream& stream, const DepthwiseConvShape& s, In x, In dy, Out dw) {
    backward_weights("depthwise_conv_backward_weights", stream, s, x, {}, dy, dw);
}

void depthwise_fused_backward_weights(Stream& stream, const DepthwiseConvShape& s, In x, const Prologue& prologue,
                                      In dy, Out dw) {
    backward_weights("depthwise_fused_backward_weights", stream, s, x, prologue, dy, dw);
}

}  // namespace karyon::kernels::gpu
