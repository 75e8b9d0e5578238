#include "kernels/conv/add_slices.cuh"
#include "kernels/conv/bias_gradient.cuh"
#include "kernels/conv/check_shape.h"
#include "kernels/conv/fused_conv2d.h"
#include "kernels/conv/gemm_arguments.cuh"
#include "kernels/conv/gemm_operands.cuh"
#include "kernels/launch.cuh"
#include "kernels/norm/partial_moments.cuh"

namespace karyon::kernels::gpu {
namespace {

void check(const char* op, const Conv2dShape& s) {
    constexpr double most_rows = 1 << 30;
    check_positive(op, "in_channels", s.in_channels);
    check_positive(op, "out_channels", s.out_channels);
    check_window(op, s);
    const double pixels = 1.0 * s.batch * std::max(1.0 * s.height * s.width, 1.0 * s.out_height() * s.out_width());
    if (pixels > most_rows || 1.0 * s.kernel * s.kernel * std::max(s.in_channels, s.out_channels) > most_rows)
        throw Error(op, "expected at most 2^30 pixels and 2^30 weights per channel, got {} pixels", pixels);
}

bool is_three_products(Stream& stream) { return static_cast<CudaStream&>(stream).f32_math == F32Math::tf32x3; }

/// The results of forward and backward_data: `first` has the columns before `split`, `second` the others.
template <typename T>
void set_results(GemmArguments<T>& g, T* first, T* second, int split) {
    g.first = first, g.second = second, g.split = split;
    g.vector_store = is_aligned(first) && is_aligned(second) && is_aligned(g.residual) &&
                     g.columns % Pack<T>::width == 0 && split % Pack<T>::width == 0;
}

template <typename T>
void forward(const char* op, Stream& stream, const Conv2dShape& s, const ImageParts<T>& x, const Prologue& prologue,
             In w, const Epilogue& epilogue, Out y) {
    GemmArguments<T> g{};
    g.pixels = window_pixels(s, x);
    g.matrix = plain_matrix(w.as<T>(), s.out_channels, g.pixels.depth);
    g.prologue = DevicePrologue(prologue, s.in_channels);
    g.rows = g.pixels.rows, g.columns = s.out_channels, g.depth = g.pixels.depth;
    g.three_products = is_three_products(stream);
    g.bias = epilogue.bias.as<float>();
    g.activation = epilogue.activation;
    g.residual = epilogue.residual.as<T>();
    set_results(g, y.as<T>(), static_cast<T*>(nullptr), s.out_channels);

    const bool in_words = !(is_vectorised(g.pixels) && is_vectorised(g.matrix) && is_aligned(g.prologue.gate));
    const GemmPlan plan = plan_rows(g.rows, g.columns, dtype_of<T>(), in_words);
    g.row_tiles_of_block = plan.row_tiles_of_block;
    if (!epilogue.mean) return launch_gemm<T, Pass::forward>(op, stream, g, plan);

    const int tiles = plan.block_rows(g.rows);
    void* const memory = static_cast<CudaStream&>(stream).scratch(PartialMoments::bytes(tiles, g.columns));
    const PartialMoments partial(memory, tiles, g.columns);
    g.counts = partial.counts, g.means = partial.means, g.m2s = partial.m2s;
    launch_gemm<T, Pass::forward>(op, stream, g, plan);
    merge_moments(stream, partial, epilogue.mean.as<float>(), epilogue.variance.as<float>());
}

template <typename T>
void backward_data(const char* op, Stream& stream, const Conv2dShape& s, In dy, In w, T* first, T* second, int split) {
    GemmArguments<T> g{};
    g.pixels = dilated_pixels(s, dy.as<T>());
    g.matrix = flipped_matrix(w.as<T>(), s);
    g.rows = g.pixels.rows, g.columns = s.in_channels, g.depth = g.pixels.depth;
    g.three_products = is_three_products(stream);
    set_results(g, first, second, split);
    const GemmPlan plan =
        plan_rows(g.rows, g.columns, dtype_of<T>(), !(is_vectorised(g.pixels) && is_vectorised(g.matrix)));
    g.row_tiles_of_block = plan.row_tiles_of_block;
    launch_gemm<T, Pass::backward_data>(op, stream, g, plan);
}

template <typename T>
void backward_weights(const char* op, Stream& stream, const Conv2dShape& s, const ImageParts<T>& x,
                      const Prologue& prologue, In dy, Out dw, Out dbias) {
    GemmArguments<T> g{};
    g.pixels = window_pixels(s, x);
    g.matrix = plain_matrix(dy.as<T>(), g.pixels.rows, s.out_channels);
    g.prologue = DevicePrologue(prologue, s.in_channels);
    g.rows = s.out_channels, g.columns = g.pixels.depth, g.depth = g.pixels.rows;
    g.three_products = is_three_products(stream);

    constexpr int stage_depth = 64 / sizeof(T);
    const bool in_words = !(is_vectorised(g.pixels) && is_vectorised(g.matrix) && is_aligned(g.prologue.gate));
    const GemmPlan plan =
        plan_slices(g.rows, g.columns, (g.depth + stage_depth - 1) / stage_depth,
                    1.0 * sizeof(T) * g.depth * (s.in_channels + s.out_channels), dtype_of<T>(), in_words);
    const std::int64_t count = static_cast<std::int64_t>(g.rows) * g.columns;
    g.slice_count = plan.slices, g.steps_of_slice = plan.steps_of_slice;
    g.slices = dw.as<float>();
    if (plan.slices > 1)
        g.slices = static_cast<float*>(static_cast<CudaStream&>(stream).scratch(sizeof(float) * plan.slices * count));
    g.vector_store = is_aligned(g.slices) && g.columns % 4 == 0;
    launch_gemm<T, Pass::backward_weights>(op, stream, g, plan);
    if (plan.slices > 1) add_slices(op, stream, count, plan.slices, g.slices, dw.as<float>());
    if (dbias) add_bias_gradient(op, stream, g.depth, s.out_channels, dy, dbias.as<float>());
}

template <typename T>
ImageParts<T> image_of(In x, int channels) {
    return {nullptr, 0, x.as<T>(), channels};
}

constexpr const char* upsample_concat = "conv2d_upsample_concat";

void check_parts(const Conv2dShape& s, int low_channels, int skip_channels) {
    check(upsample_concat, s);
    check_positive(upsample_concat, "low_channels", low_channels);
    if (skip_channels < 0 || low_channels + skip_channels != s.in_channels)
        throw Error(upsample_concat, "expected {} channels, got {} + {}", s.in_channels, low_channels, skip_channels);
    if (s.height % 2 != 0 || s.width % 2 != 0)
        throw Error(upsample_concat, "expected an even height and width, got {} x {}", s.height, s.width);
}

template <typename T>
ImageParts<T> image_of(const UpsampleConcatInput& x) {
    // Without a skip nothing is read of it, but an address that may be read is there.
    return {x.low.as<T>(), x.low_channels, x.skip_channels > 0 ? x.skip.as<T>() : x.low.as<T>(), x.skip_channels};
}

}  // namespace

void conv2d_forward(Stream& stream, const Conv2dShape& shape, In x, In w, In bias, Out y) {
    Epilogue epilogue;
    epilogue.bias = bias;
    conv2d_fused_forward(stream, shape, x, {}, w, epilogue, y);
}

void conv2d_fused_forward(Stream& stream, const Conv2dShape& shape, In x, const Prologue& prologue, In w,
                          const Epilogue& epilogue, Out y) {
    constexpr const char* op = "conv2d_forward";
    check(op, shape);
    with_float_type(op, y.dtype(), [&]<typename T>() {
        forward<T>(op, stream, shape, image_of<T>(x, shape.in_channels), prologue, w, epilogue, y);
    });
}

void conv2d_backward_data(Stream& stream, const Conv2dShape& shape, In dy, In w, Out dx) {
    constexpr const char* op = "conv2d_backward_data";
    check(op, shape);
    with_float_type(op, dx.dtype(), [&]<typename T>() {
        backward_data<T>(op, stream, shape, dy, w, dx.as<T>(), nullptr, shape.in_channels);
    });
}

void conv2d_backward_weights(Stream& stream, const Conv2dShape& shape, In x, In dy, Out dw, Out dbias) {
    conv2d_fused_backward_weights(stream, shape, x, {}, dy, dw, dbias);
}

void conv2d_fused_backward_weights(Stream& stream, const Conv2dShape& shape, In x, const Prologue& prologue, In dy,
                                   Out dw, Out dbias) {
    constexpr const char* op = "conv2d_backward_weights";
    check(op, shape);
    with_float_type(op, dy.dtype(), [&]<typename T>() {
        backward_weights<T>(op, stream, shape, image_of<T>(x, shape.in_channels), prologue, dy, dw, dbias);
    });
}

void conv2d_upsample_concat_forward(Stream& stream, const Conv2dShape& shape, const UpsampleConcatInput& x, In w,
                                    const Epilogue& epilogue, Out y) {
    check_parts(shape, x.low_channels, x.skip_channels);
    with_float_type(upsample_concat, y.dtype(), [&]<typename T>() {
        forward<T>(upsample_concat, stream, shape, image_of<T>(x), {}, w, epilogue, y);
    });
}

void conv2d_upsample_concat_backward_data(Stream& stream, const Conv2dShape& shape, In dy, In w,
                                          const UpsampleConcatGradient& dx) {
    check_parts(shape, dx.low_channels, dx.skip_channels);
    with_float_type(upsample_concat, dy.dtype(), [&]<typename T>() {
        backward_data<T>(upsample_concat, stream, shape, dy, w, dx.upsampled.as<T>(), dx.skip.as<T>(), dx.low_channels);
    });
}

void conv2d_upsample_concat_backward_weights(Stream& stream, const Conv2dShape& shape, const UpsampleConcatInput& x,
                                             In dy, Out dw, Out dbias) {
    check_parts(shape, x.low_channels, x.skip_channels);
    with_float_type(upsample_concat, dy.dtype(), [&]<typename T>() {
        backward_weights<T>(upsample_concat, stream, shape, image_of<T>(x), {}, dy, dw, dbias);
    });
}

}  // namespace karyon::kernels::gpu
