#include "kernels/norm/batch_norm.h"

#include "kernels/blocks.h"
#include "kernels/channel_tiles.h"
#include "kernels/elementwise/activation_math.h"
#include "kernels/float_type.h"
#include "kernels/norm/batch_norm_math.h"

namespace karyon::kernels {

Cost cost(const BatchNormShape& shape, DType type) {
    const double elements = static_cast<double>(shape.rows) * shape.channels;
    return {2 * elements * static_cast<double>(size_of(type)) + 4.0 * sizeof(float) * shape.channels,
            (3 + activation_flops(shape.activation)) * elements};
}

Cost batch_norm_statistics_cost(const BatchNormShape& shape, DType type) {
    const double elements = static_cast<double>(shape.rows) * shape.channels;
    return {elements * static_cast<double>(size_of(type)) + 2.0 * sizeof(float) * shape.channels, 4 * elements};
}

Cost batch_norm_backward_cost(const BatchNormShape& shape, DType type, bool frozen) {
    const double elements = static_cast<double>(shape.rows) * shape.channels;
    // Four parameters are read, two gradients added to.
    return {(frozen ? 3 : 5) * elements * static_cast<double>(size_of(type)) + 8.0 * sizeof(float) * shape.channels,
            (frozen ? 1 : 2) * (8 + activation_slope_flops(shape.activation)) * elements};
}

namespace cpu {
namespace {

template <Activation f, typename T>
KARYON_INLINE void forward_loop(std::int64_t count, std::int64_t width, const T* x, const float* mean,
                                const float* scale, const float* beta, T* y) {
    for (std::int64_t tile = 0; tile < count; tile += width) {
        const std::int64_t size = std::min(width, count - tile);
        const T* from = x + tile;
        T* to = y + tile;
#pragma GCC ivdep
        for (std::int64_t i = 0; i < size; ++i) to[i] = T(activate<f>((float(from[i]) - mean[i]) * scale[i] + beta[i]));
    }
}

template <typename T>
KARYON_SIMD void forward_block(Activation f, std::int64_t count, std::int64_t width, const T* x, const float* mean,
                               const float* scale, const float* beta, T* y) {
    switch (f) {
        case Activation::none:
            return forward_loop<Activation::none>(count, width, x, mean, scale, beta, y);
        case Activation::relu:
            return forward_loop<Activation::relu>(count, width, x, mean, scale, beta, y);
        case Activation::silu:
            return forward_loop<Activation::silu>(count, width, x, mean, scale, beta, y);
        case Activation::sigmoid:
            return forward_loop<Activation::sigmoid>(count, width, x, mean, scale, beta, y);
    }
}

}  // namespace

void batch_norm_forward(Stream&, const BatchNormShape& shape, In x, In mean, In variance, In gamma, In beta, Out y) {
    const ChannelTiles tiles(shape.rows, shape.channels);
    const BatchNormTile tile(shape, tiles, mean, variance, gamma, beta);
    with_float_type("batch_norm", x.dtype(), [&]<typename T>() {
        const T* from = x.as<T>();
        T* to = y.as<T>();
        for_each_item(tiles.blocks(), [&](std::int64_t block) {
            const std::int64_t begin = tiles.begin(block), count = tiles.elements_of(block);
            if constexpr (std::is_same_v<T, bfloat16>)
                if (native::normalise(shape.activation, count, tile.pointers(), from + begin, to + begin)) return;
            forward_block(shape.activation, count, tile.width, from + begin, tile.mean.data(), tile.scale.data(),
                          tile.beta.data(), to + begin);
        });
    });
}

void batch_norm_update_running(Stream&, const BatchNormShape& shape, float momentum, In mean, In variance,
                               Out running_mean, Out running_variance) {
    const float *batch_mean = mean.as<float>(), *batch_variance = variance.as<float>();
    float *average_mean = running_mean.as<float>(), *average_variance = running_variance.as<float>();
    const auto rows = static_cast<double>(shape.rows);
    const auto unbiased = static_cast<float>(shape.rows > 1 ? rows / (rows - 1) : 1.0);
    for (int c = 0; c < shape.channels; ++c) {
        average_mean[c] = (1 - momentum) * average_mean[c] + momentum * batch_mean[c];
        average_variance[c] = (1 - momentum) * average_variance[c] + momentum * (batch_variance[c] * unbiased);
    }
}

}  // namespace cpu
}  // namespace karyon::kernels
