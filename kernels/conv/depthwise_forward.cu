#include "kernels/conv/check_shape.h"
#include "kernels/conv/depthwise_kernel.cuh"
#include "kernels/conv/fused_depthwise_conv.h"
#include "kernels/norm/partial_moments.cuh"

namespace karyon::kernels::gpu {
namespace {

using namespace depthwise;

/// Bias and activation, y, and the moments of the tile.
template <typename T>
struct ForwardFinish {
    static constexpr bool normalises_input = true;
    static constexpr int sums_bytes = block_threads / 32 * slab_channels<T> * sizeof(Moments);
    Images<T> y;
    const float* bias;
    Activation activation;
    PartialMoments moments;

    template <typename Window, typename Table, typename Outputs>
    __device__ void operator()(const OutputPatch<T>& patch, int tile, const Table&, Outputs& out, char* shared) const {
        store_activated<Window>(patch, y, bias, activation, out);
        if (moments.counts) take_moments<Window>(patch, tile, out, shared);
    }

    /// Of the patch in registers, of the two strips of a warp by a shuffle, of the warps in order.
    template <typename Window, typename Outputs>
    __device__ void take_moments(const OutputPatch<T>& patch, int tile, const Outputs& out, char* shared) const {
        auto* of_warp = reinterpret_cast<Moments(*)[slab_channels<T>]>(shared);
        const int warp = static_cast<int>(threadIdx.x) / 32;
        Moments mine[word_width<T>];
#pragma unroll
        for (int v = 0; v < word_width<T>; ++v) {
            mine[v] = patch_moments<Window>(patch, out, v);
            mine[v].add({__shfl_xor_sync(all_lanes, mine[v].count, strip_lanes),
                         __shfl_xor_sync(all_lanes, mine[v].mean, strip_lanes),
                         __shfl_xor_sync(all_lanes, mine[v].m2, strip_lanes)});
        }
        __syncthreads();  // the staged tile is read to its end
        if (threadIdx.x % 32 < strip_lanes)
#pragma unroll
            for (int v = 0; v < word_width<T>; ++v) of_warp[warp][patch.lane() * word_width<T> + v] = mine[v];
        __syncthreads();
        const int lane = static_cast<int>(threadIdx.x), channel = patch.channel - patch.lane() * word_width<T> + lane;
        if (lane >= slab_channels<T> || channel >= y.channels) return;
        Moments total = of_warp[0][lane];
        for (int i = 1; i < block_threads / 32; ++i) total.add(of_warp[i][lane]);
        const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(tile) * y.channels + channel;
        moments.means[at] = total.mean;
        moments.m2s[at] = total.m2;
        if (channel == 0) moments.counts[tile] = total.count;
    }

    template <typename Window, typename Outputs>
    __device__ Moments patch_moments(const OutputPatch<T>& patch, const Outputs& out, int v) const {
        Moments result{0, 0, 0};
        patch.template for_each_output<Window>(y, [&](int m, int n, std::ptrdiff_t, bool inside) {
            result.count += inside ? 1.0f : 0.0f;
            result.mean += inside ? out[m][n][v] : 0.0f;
        });
        if (result.count == 0) return result;
        result.mean /= result.count;
        patch.template for_each_output<Window>(y, [&](int m, int n, std::ptrdiff_t, bool inside) {
            const float distance = inside ? out[m][n][v] - result.mean : 0.0f;
            result.m2 += distance * distance;
        });
        return result;
    }
};

template <typename T, typename Window>
void launch_forward(const char* op, Stream& stream, const DepthwiseConvShape& s, In x, const Prologue& prologue, In w,
                    const Epilogue& epilogue, Out y) {
    const auto bytes_of = [](const Tiles& t) { return shared_bytes<T, Window>(t, ForwardFinish<T>::sums_bytes); };
    const Tiles tiles =
        cut_tiles<Window>({-s.pad.top, -s.pad.left}, s.batch, s.out_height(), s.out_width(), strips, bytes_of);
    const int slabs = divide_up(s.channels, slab_channels<T>);
    PartialMoments moments(nullptr, 0, 0);
    if (epilogue.mean)
        moments =
            PartialMoments(static_cast<CudaStream&>(stream).scratch(PartialMoments::bytes(tiles.count(), s.channels)),
                           tiles.count(), s.channels);
    const auto* const bias = epilogue.bias.as<float>();
    const ForwardFinish<T> finish{Images<T>(y.as<T>(), s.batch, s.out_height(), s.out_width(), s.channels, bias), bias,
                                  epilogue.activation, moments};
    launch(op, stream, {static_cast<unsigned>(tiles.count() * slabs), block_threads, std::size_t(bytes_of(tiles))},
           depthwise_kernel<T, Window, ForwardFinish<T>>, tiles, slabs,
           Images<const T>(x.as<T>(), s.batch, s.height, s.width, s.channels), w.as<float>(), false,
           Normalisation(prologue), prologue.activation, finish);
    if (epilogue.mean) merge_moments(stream, moments, epilogue.mean.as<float>(), epilogue.variance.as<float>());
}

void forward(const char* op, Stream& stream, const DepthwiseConvShape& s, In x, const Prologue& prologue, In w,
             const Epilogue& epilogue, Out y) {
    check_depthwise(s);
    check_prologue(op, prologue);
    if (epilogue.residual) throw Error(op, "expected an epilogue without a residual, got one");
    if (bool(epilogue.mean) != bool(epilogue.variance))
        throw Error(op, "expected both mean and variance or neither, got one");
    with_float_type(op, y.dtype(), [&]<typename T>() {
        with_kernel_size(s.kernel, [&]<int k>() {
            const auto queue =
                s.stride == 1 ? launch_forward<T, Correlation<k, 1, 2, 8>> : launch_forward<T, Correlation<k, 2, 1, 4>>;
            queue(op, stream, s, x, prologue, w, epilogue, y);
        });
    });
}

}  // namespace

void depthwise_conv_forward(Stream& stream, const DepthwiseConvShape& s, In x, In w, Out y) {
    forward("depthwise_conv_forward", stream, s, x, {}, w, {}, y);
}

void depthwise_fused_forward(Stream& stream, const DepthwiseConvShape& s, In x, const Prologue& prologue, In w,
                             const Epilogue& epilogue, Out y) {
    forward("depthwise_fused_forward", stream, s, x, prologue, w, epilogue, y);
}

}  // namespace karyon::kernels::gpu
