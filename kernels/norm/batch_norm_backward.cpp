#include <memory>

#include "kernels/blocks.h"
#include "kernels/channel_tiles.h"
#include "kernels/elementwise/activation_math.h"
#include "kernels/float_type.h"
#include "kernels/norm/batch_norm.h"
#include "kernels/norm/batch_norm_math.h"

namespace karyon::kernels::cpu {
namespace {

// With d = x - mean, z = d * scale + beta and g = dy * f'(z):
//   dbeta = sum g;  dgamma = sum(g d) / deviation
//   dx = scale * (g - mean(g) - d * mean(g d) / deviation^2), without the last two terms where mean and variance are
//   constants.

/// What the pass that sums leaves in dx: scale * g where that is all of it; g, where f' is too dear to compute twice.
enum class Leaves { nothing, g, scaled_g };

bool is_dear(Activation f) { return f == Activation::silu || f == Activation::sigmoid; }

/// sums += g, sums_d += g * d, over the elements of a tile.
template <Activation f, Leaves leaves, typename T>
KARYON_INLINE void sums_loop(std::int64_t count, std::int64_t width, const T* x, const T* dy, const float* mean,
                             const float* scale, const float* beta, float* sums, float* sums_d, T* dx) {
    for (std::int64_t tile = 0; tile < count; tile += width) {
        const std::int64_t size = std::min(width, count - tile);
        const T *values = x + tile, *gradients = dy + tile;
        [[maybe_unused]] T* to = dx + (leaves == Leaves::nothing ? 0 : tile);
#pragma GCC ivdep
        for (std::int64_t i = 0; i < size; ++i) {
            const float d = float(values[i]) - mean[i];
            const float g = float(gradients[i]) * activation_slope<f>(d * scale[i] + beta[i]);
            sums[i] += g;
            sums_d[i] += g * d;
            if constexpr (leaves != Leaves::nothing) to[i] = T(leaves == Leaves::g ? g : scale[i] * g);
        }
    }
}

template <Activation f, typename T>
KARYON_INLINE void dx_loop(std::int64_t count, std::int64_t width, const T* x, const T* dy, const float* mean,
                           const float* scale, const float* beta, const float* mean_g, const float* slope, T* dx) {
    for (std::int64_t tile = 0; tile < count; tile += width) {
        const std::int64_t size = std::min(width, count - tile);
        const T *values = x + tile, *gradients = dy + tile;
        T* to = dx + tile;
#pragma GCC ivdep
        for (std::int64_t i = 0; i < size; ++i) {
            const float d = float(values[i]) - mean[i];
            const float g = float(gradients[i]) * activation_slope<f>(d * scale[i] + beta[i]);
            to[i] = T(scale[i] * (g - mean_g[i] - d * slope[i]));
        }
    }
}

template <Activation f, typename T>
KARYON_INLINE void sums_leaving(Leaves leaves, std::int64_t count, std::int64_t width, const T* x, const T* dy,
                                const float* mean, const float* scale, const float* beta, float* sums, float* sums_d,
                                T* dx) {
    switch (leaves) {
        case Leaves::nothing:
            return sums_loop<f, Leaves::nothing>(count, width, x, dy, mean, scale, beta, sums, sums_d, dx);
        case Leaves::g:
            return sums_loop<f, Leaves::g>(count, width, x, dy, mean, scale, beta, sums, sums_d, dx);
        case Leaves::scaled_g:
            return sums_loop<f, Leaves::scaled_g>(count, width, x, dy, mean, scale, beta, sums, sums_d, dx);
    }
}

template <typename T>
KARYON_SIMD void sums_block(Activation f, Leaves leaves, std::int64_t count, std::int64_t width, const T* x,
                            const T* dy, const float* mean, const float* scale, const float* beta, float* s, float* sd,
                            T* dx) {
    switch (f) {
        case Activation::none:
            return sums_leaving<Activation::none>(leaves, count, width, x, dy, mean, scale, beta, s, sd, dx);
        case Activation::relu:
            return sums_leaving<Activation::relu>(leaves, count, width, x, dy, mean, scale, beta, s, sd, dx);
        case Activation::silu:
            return sums_leaving<Activation::silu>(leaves, count, width, x, dy, mean, scale, beta, s, sd, dx);
        case Activation::sigmoid:
            return sums_leaving<Activation::sigmoid>(leaves, count, width, x, dy, mean, scale, beta, s, sd, dx);
    }
}

template <typename T>
KARYON_SIMD void dx_block(bool relu, std::int64_t count, std::int64_t width, const T* x, const T* dy, const float* mean,
                          const float* scale, const float* beta, const float* mean_g, const float* slope, T* dx) {
    if (relu)
        dx_loop<Activation::relu>(count, width, x, dy, mean, scale, beta, mean_g, slope, dx);
    else
        dx_loop<Activation::none>(count, width, x, dy, mean, scale, beta, mean_g, slope, dx);
}

/// sums += g, sums_d += g * d over the elements of a block, which also leaves what it is told to in dx.
template <typename T>
void sum_block(const BatchNormShape& shape, const BatchNormTile& tile, std::int64_t count, const T* x, const T* dy,
               float* sums, float* sums_d, Leaves leaves, T* dx) {
    if constexpr (std::is_same_v<T, bfloat16>)
        if (native::sum_gradients(shape.activation, count, tile.pointers(), x, dy, sums, sums_d,
                                  leaves == Leaves::nothing ? nullptr : dx, leaves == Leaves::scaled_g))
            return;
    sums_block(shape.activation, leaves, count, tile.width, x, dy, tile.mean.data(), tile.scale.data(),
               tile.beta.data(), sums, sums_d, dx);
}

/// dx of a block. dy is what its first pass left, where f' is too dear.
template <typename T>
void finish_block(Activation f, const BatchNormTile& tile, std::int64_t count, const T* x, const T* dy,
                  const float* mean_g, const float* slope, T* dx) {
    const bool relu = f == Activation::relu;
    if constexpr (std::is_same_v<T, bfloat16>)
        if (native::finish_gradients(relu ? f : Activation::none, count, tile.pointers(), x, dy, mean_g, slope, dx))
            return;
    dx_block(relu, count, tile.width, x, dy, tile.mean.data(), tile.scale.data(), tile.beta.data(), mean_g, slope, dx);
}

/// [2 * channels]: sum g, then sum(g d), in double from the partial sums of the blocks in their order.
template <typename T>
std::vector<double> gradient_sums(const BatchNormShape& shape, const ChannelTiles& tiles, const BatchNormTile& tile,
                                  const T* x, const T* dy, Leaves leaves, T* dx) {
    const auto channels = static_cast<std::size_t>(shape.channels), width = static_cast<std::size_t>(tiles.width);
    const auto partials = std::make_unique<double[]>(static_cast<std::size_t>(tiles.blocks()) * 2 * channels);
    for_each_item(tiles.blocks(), [&](std::int64_t block) {
        const std::int64_t begin = tiles.begin(block);
        std::vector<float> sums(2 * width);
        sum_block(shape, tile, tiles.elements_of(block), x + begin, dy + begin, sums.data(), sums.data() + width,
                  leaves, dx + begin);
        double* partial = partials.get() + static_cast<std::size_t>(block) * 2 * channels;
        for (std::size_t row = 0; row < width; row += channels)
            for (std::size_t c = 0; c < channels; ++c) {
                partial[c] += static_cast<double>(sums[row + c]);
                partial[channels + c] += static_cast<double>(sums[width + row + c]);
            }
    });
    std::vector<double> total(2 * channels);
    for (std::int64_t block = 0; block < tiles.blocks(); ++block)
        for (std::size_t i = 0; i < 2 * channels; ++i)
            total[i] += partials[static_cast<std::size_t>(block) * 2 * channels + i];
    return total;
}

void add_parameter_gradients(const BatchNormShape& shape, const std::vector<double>& sums, const float* variance,
                             float* dgamma, float* dbeta) {
    for (int c = 0; c < shape.channels; ++c) {
        const auto channel = static_cast<std::size_t>(c);
        const double sum_g = sums[channel], sum_gd = sums[static_cast<std::size_t>(shape.channels) + channel];
        if (dgamma) dgamma[c] += static_cast<float>(sum_gd * inverse_deviation(shape, variance[c]));
        if (dbeta) dbeta[c] += static_cast<float>(sum_g);
    }
}

}  // namespace

void batch_norm_backward(Stream&, const BatchNormShape& shape, In x, In mean, In variance, In gamma, In beta, In dy,
                         Out dx, Out dgamma, Out dbeta) {
    const float* variances = variance.as<float>();
    const ChannelTiles tiles(shape.rows, shape.channels);
    const BatchNormTile tile(shape, tiles, mean, variance, gamma, beta);
    with_float_type("batch_norm", x.dtype(), [&]<typename T>() {
        const T *values = x.as<T>(), *gradients = dy.as<T>();
        T* to = dx.as<T>();
        const bool dear = is_dear(shape.activation);
        const std::vector<double> sums =
            gradient_sums(shape, tiles, tile, values, gradients, dear ? Leaves::g : Leaves::nothing, to);
        add_parameter_gradients(shape, sums, variances, dgamma.as<float>(), dbeta.as<float>());

        const auto rows = static_cast<double>(shape.rows);
        const std::vector<float> mean_g =
            tiles.repeated([&](int c) { return sums[static_cast<std::size_t>(c)] / rows; });
        const std::vector<float> slope = tiles.repeated([&](int c) {
            const double inverse = inverse_deviation(shape, variances[c]);
            return sums[static_cast<std::size_t>(shape.channels + c)] / rows * inverse * inverse;
        });
        for_each_item(tiles.blocks(), [&](std::int64_t block) {
            const std::int64_t begin = tiles.begin(block);
            finish_block(shape.activation, tile, tiles.elements_of(block), values + begin,
                         (dear ? to : gradients) + begin, mean_g.data(), slope.data(), to + begin);
        });
    });
}

void batch_norm_backward_frozen(Stream&, const BatchNormShape& shape, In x, In mean, In variance, In gamma, In beta,
                                In dy, Out dx, Out dgamma, Out dbeta) {
    const ChannelTiles tiles(shape.rows, shape.channels);
    const BatchNormTile tile(shape, tiles, mean, variance, gamma, beta);
    with_float_type("batch_norm", x.dtype(), [&]<typename T>() {
        const std::vector<double> sums =
            gradient_sums(shape, tiles, tile, x.as<T>(), dy.as<T>(), Leaves::scaled_g, dx.as<T>());
        add_parameter_gradients(shape, sums, variance.as<float>(), dgamma.as<float>(), dbeta.as<float>());
    });
}

}  // namespace karyon::kernels::cpu
