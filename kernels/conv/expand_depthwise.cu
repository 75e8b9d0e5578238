#include "kernels/conv/check_shape.h"
#include "kernels/conv/expand_depthwise.h"
#include "kernels/conv/expand_plan.cuh"

namespace karyon::kernels::gpu {
namespace {

using namespace depthwise;

template <typename T, typename Window>
struct ExpandArguments {
    Tiles tiles;
    ExpandMemory<T, Window> memory;
    int slabs, slabs_of_block;
    Images<const T> x;  ///< channels: in_channels
    const T* expand_weight;
    const float *expand_bias, *weight, *bias;
    Activation expand_activation, activation;
    bool weight_vectors, three_products;
    Images<T> y;
};

/// One tile and several slabs a block. x is read once for all of them; the weights of the next slab are on their way
/// while this one's convolution is summed, its taps while it is expanded.
template <typename T, typename Window>
__global__ void __launch_bounds__(block_threads, 3)
    expand_depthwise_kernel(const __grid_constant__ ExpandArguments<T, Window> g) {
    extern __shared__ __align__(128) char shared[];
    const ExpandMemory<T, Window>& memory = g.memory;
    const int tile = static_cast<int>(blockIdx.x), first_slab = static_cast<int>(blockIdx.y) * g.slabs_of_block;
    const int slab_end = min(first_slab + g.slabs_of_block, g.slabs);
    const auto load_weights = [&](int slab) {
        stage_weights(memory, g.expand_weight, g.expand_bias, slab * memory.slab, g.y.channels, g.x.channels,
                      g.x.vectors, g.weight_vectors, shared);
        cp_async_commit();
    };
    stage_pixels(memory, g.tiles, TileStart(g.tiles, tile), g.x, shared);
    load_weights(first_slab);

    const int strip = static_cast<int>(threadIdx.x) / strip_lanes, lane = OutputPatch<T>::lane();
#pragma unroll 1
    for (int slab = first_slab; slab < slab_end; ++slab) {
        const int first_channel = slab * memory.slab;
        cp_async_wait<0>();
        __syncthreads();  // x and these weights are there, and the slab before is done with stage and taps
        stage_taps(memory, g.weight, first_channel, g.y.channels, g.weight_vectors, shared);
        cp_async_commit();
        expand_tile(memory, g.expand_activation, g.three_products, shared);
        cp_async_wait<0>();
        __syncthreads();
        if (slab + 1 < slab_end) load_weights(slab + 1);
        const Patch patch(g.tiles, strip);
        if (patch.image >= g.tiles.images) continue;
        float out[Window::rows][Window::columns][word_width<T>] = {};
        correlate_patch<T, Window>(
            PatchInputs<Window>(memory.stage, shared + memory.staged, patch, lane),
            reinterpret_cast<const float(*)[slab_channels<T>]>(shared + lane * word_width<T> * sizeof(float)), out);
        const int channel = first_channel + lane * word_width<T>;
        const TileStart start(g.tiles, tile);
        const int image = start.image + patch.image;
        const OutputPatch<T> to{image, (start.row + patch.row) * Window::rows,
                                (start.column + patch.column) * Window::columns, channel,
                                image < g.y.batch ? g.y.channels - channel : 0};
        store_activated<Window>(to, g.y, g.bias, g.activation, out);
    }
}

/// Calls body with the element type and the window of the shape.
template <typename Body>
void with_window(const char* op, const DepthwiseConvShape& s, DType type, Body body) {
    with_float_type(op, type, [&]<typename T>() {
        with_kernel_size(s.kernel, [&]<int k>() {
            if (s.stride == 1) return body.template operator()<T, Correlation<k, 1, 2, 8>>();
            return body.template operator()<T, Correlation<k, 2, 1, 4>>();
        });
    });
}

void check(const char* op, const ExpandDepthwiseShape& s) {
    check_depthwise(s.depthwise);
    check_positive(op, "in_channels", s.in_channels);
}

void check(const char* op, const Epilogue& epilogue) {
    if (epilogue.residual || epilogue.mean || epilogue.variance)
        throw Error(op, "expected an epilogue of bias and activation, got one with a residual or statistics");
}

}  // namespace

void expand_depthwise_forward(Stream& stream, const ExpandDepthwiseShape& shape, In x, In expand_weight,
                              const Epilogue& expand_epilogue, In weight, const Epilogue& epilogue, Out y) {
    constexpr const char* op = "expand_depthwise_forward";
    check(op, shape);
    check(op, expand_epilogue);
    check(op, epilogue);
    const DepthwiseConvShape& s = shape.depthwise;
    with_window(op, s, y.dtype(), [&]<typename T, typename Window>() {
        const ExpandPlan<T, Window> plan(op, shape);
        const auto *const taps = weight.as<float>(), *const expand_bias = expand_epilogue.bias.as<float>(),
                          *const bias = epilogue.bias.as<float>();
        const auto* const expand_weights = expand_weight.as<T>();
        const ExpandArguments<T, Window> g{
            .tiles = plan.tiles,
            .memory = plan.memory,
            .slabs = plan.slabs,
            .slabs_of_block = plan.slabs_of_block,
            .x = Images<const T>(x.as<T>(), s.batch, s.height, s.width, shape.in_channels, expand_weights),
            .expand_weight = expand_weights,
            .expand_bias = expand_bias,
            .weight = taps,
            .bias = bias,
            .expand_activation = expand_epilogue.activation,
            .activation = epilogue.activation,
            .weight_vectors = is_aligned(taps) && is_aligned(expand_bias) && s.channels % Pack<float>::width == 0,
            .three_products = static_cast<CudaStream&>(stream).f32_math == F32Math::tf32x3,
            .y = Images<T>(y.as<T>(), s.batch, s.out_height(), s.out_width(), s.channels, bias)};
        launch(op, stream, {dim3(plan.tiles.count(), plan.groups()), block_threads, std::size_t(plan.memory.bytes)},
               expand_depthwise_kernel<T, Window>, g);
    });
}

Cost expand_depthwise_tile_cost(const ExpandDepthwiseShape& shape, DType type) {
    constexpr const char* op = "expand_depthwise_tile_cost";
    check(op, shape);
    Cost result{};
    with_window(op, shape.depthwise, type,
                [&]<typename T, typename Window>() { result = tile_cost(shape, ExpandPlan<T, Window>(op, shape)); });
    return result;
}

bool expand_depthwise_saves_traffic(const ExpandDepthwiseShape& shape, DType type) {
    constexpr const char* op = "expand_depthwise_saves_traffic";
    check(op, shape);
    const DepthwiseConvShape& s = shape.depthwise;
    const double expanded = double(size_of(type)) * s.batch * s.height * s.width * s.channels;
    bool saves = false;
    with_window(op, s, type, [&]<typename T, typename Window>() {
        saves = ExpandPlan<T, Window>::fits(shape) &&
                tile_cost(shape, ExpandPlan<T, Window>(op, shape)).bytes < cost(shape, type).bytes + 2 * expanded;
    });
    return saves;
}

}  // namespace karyon::kernels::gpu
