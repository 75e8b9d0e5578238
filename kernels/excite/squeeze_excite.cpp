#include "kernels/excite/squeeze_excite.h"

#include <memory>

#include "kernels/blocks.h"
#include "kernels/channel_tiles.h"
#include "kernels/excite/excitation.h"
#include "kernels/float_type.h"
#include "kernels/simd.h"

namespace karyon::kernels {

namespace {

/// What the cost of every part is made of.
struct Sizes {
    double elements, activations, pooled, hidden, weights;

    Sizes(const SqueezeExciteShape& shape, DType type)
        : elements(static_cast<double>(shape.batch) * static_cast<double>(shape.pixels) * shape.channels),
          activations(elements * static_cast<double>(size_of(type))),
          pooled(static_cast<double>(shape.batch) * shape.channels),
          hidden(static_cast<double>(shape.batch) * shape.reduced),
          weights(2.0 * shape.channels * shape.reduced + shape.channels + shape.reduced) {}
};

}  // namespace

Cost squeeze_excite_gate_cost(const SqueezeExciteShape& shape, DType type) {
    const Sizes s(shape, type);
    return {s.activations + sizeof(float) * (s.weights + 2 * s.pooled + s.hidden),
            s.elements + 4 * s.pooled * shape.reduced};
}

Cost squeeze_excite_apply_cost(const SqueezeExciteShape& shape, DType type) {
    const Sizes s(shape, type);
    return {2 * s.activations + sizeof(float) * s.pooled, s.elements};
}

Cost cost(const SqueezeExciteShape& shape, DType type) {
    const Cost gate = squeeze_excite_gate_cost(shape, type), apply = squeeze_excite_apply_cost(shape, type);
    return {gate.bytes + apply.bytes - sizeof(float) * Sizes(shape, type).pooled, gate.flops + apply.flops};
}

Cost squeeze_excite_backward_cost(const SqueezeExciteShape& shape, DType type) {
    const Sizes s(shape, type);
    // The weights are read, their gradients added to; the gradients of gate and pooled pass from kernel to kernel.
    const double gradients = 2 * s.weights, weights = 2.0 * shape.channels * shape.reduced;
    return {4 * s.activations + sizeof(float) * (weights + gradients + 2 * s.pooled + s.hidden + 2 * 2 * s.pooled),
            4 * s.elements + 8 * s.pooled * shape.reduced};
}

namespace cpu {
namespace {

template <typename T>
KARYON_SIMD void sum_tiles(std::int64_t count, std::int64_t width, const T* x, float* sums) {
    for (std::int64_t tile = 0; tile < count; tile += width) {
        const std::int64_t size = std::min(width, count - tile);
        const T* from = x + tile;
#pragma GCC ivdep
        for (std::int64_t i = 0; i < size; ++i) sums[i] += float(from[i]);
    }
}

template <typename T>
KARYON_SIMD void product_tiles(std::int64_t count, std::int64_t width, const T* x, const T* dy, float* sums) {
    for (std::int64_t tile = 0; tile < count; tile += width) {
        const std::int64_t size = std::min(width, count - tile);
        const T *values = x + tile, *gradients = dy + tile;
#pragma GCC ivdep
        for (std::int64_t i = 0; i < size; ++i) sums[i] += float(values[i]) * float(gradients[i]);
    }
}

template <typename T>
KARYON_SIMD void scale_tiles(std::int64_t count, std::int64_t width, const T* x, const float* gate, T* y) {
    for (std::int64_t tile = 0; tile < count; tile += width) {
        const std::int64_t size = std::min(width, count - tile);
        const T* from = x + tile;
        T* to = y + tile;
#pragma GCC ivdep
        for (std::int64_t i = 0; i < size; ++i) to[i] = T(float(from[i]) * gate[i]);
    }
}

template <typename T>
KARYON_SIMD void scale_add_tiles(std::int64_t count, std::int64_t width, const T* dy, const float* gate,
                                 const float* offset, T* dx) {
    for (std::int64_t tile = 0; tile < count; tile += width) {
        const std::int64_t size = std::min(width, count - tile);
        const T* from = dy + tile;
        T* to = dx + tile;
#pragma GCC ivdep
        for (std::int64_t i = 0; i < size; ++i) to[i] = T(float(from[i]) * gate[i] + offset[i]);
    }
}

/// Calls body(image, element offset, elements) for every block of every image.
template <typename Body>
void for_each_image_block(const SqueezeExciteShape& shape, const ChannelTiles& tiles, Body body) {
    const std::int64_t blocks = tiles.blocks();
    for_each_item(shape.batch * blocks, [&](std::int64_t item) {
        const std::int64_t image = item / blocks, block = item % blocks;
        body(item, image, image * shape.pixels * shape.channels + tiles.begin(block), tiles.elements_of(block));
    });
}

/// [batch, channels]: the sums over the pixels of x, or of x * dy where dy is given, merged in double block by block.
template <typename T>
std::vector<double> sum_pixels(const SqueezeExciteShape& shape, const ChannelTiles& tiles, const T* x, const T* dy) {
    const auto channels = static_cast<std::size_t>(shape.channels), width = static_cast<std::size_t>(tiles.width);
    const auto blocks = static_cast<std::size_t>(tiles.blocks());
    const auto partials = std::make_unique<double[]>(static_cast<std::size_t>(shape.batch) * blocks * channels);
    for_each_image_block(shape, tiles,
                         [&](std::int64_t item, std::int64_t, std::int64_t offset, std::int64_t elements) {
                             std::vector<float> sums(width);
                             if (dy)
                                 product_tiles(elements, tiles.width, x + offset, dy + offset, sums.data());
                             else
                                 sum_tiles(elements, tiles.width, x + offset, sums.data());
                             double* partial = partials.get() + static_cast<std::size_t>(item) * channels;
                             for (std::size_t row = 0; row < width; row += channels)
                                 for (std::size_t c = 0; c < channels; ++c)
                                     partial[c] += static_cast<double>(sums[row + c]);
                         });
    std::vector<double> total(static_cast<std::size_t>(shape.batch) * channels);
    for (std::size_t image = 0; image < static_cast<std::size_t>(shape.batch); ++image)
        for (std::size_t block = 0; block < blocks; ++block)
            for (std::size_t c = 0; c < channels; ++c)
                total[image * channels + c] += partials[(image * blocks + block) * channels + c];
    return total;
}

/// [batch, width]: values [batch, channels] repeated over the tiles of each image.
std::vector<float> tile_per_image(const SqueezeExciteShape& shape, const ChannelTiles& tiles, const float* values) {
    std::vector<float> all;
    for (int image = 0; image < shape.batch; ++image) {
        const float* row = values + static_cast<std::int64_t>(image) * shape.channels;
        const std::vector<float> tile = tiles.repeated([=](int c) { return row[c]; });
        all.insert(all.end(), tile.begin(), tile.end());
    }
    return all;
}

}  // namespace

void squeeze_excite_gate(Stream&, const SqueezeExciteShape& shape, In x, In w1, In b1, In w2, In b2, Out pooled,
                         Out hidden, Out gate) {
    const float *weights1 = w1.as<float>(), *bias1 = b1.as<float>();
    const float *weights2 = w2.as<float>(), *bias2 = b2.as<float>();
    float *to_pooled = pooled.as<float>(), *to_hidden = hidden.as<float>(), *to_gate = gate.as<float>();
    with_float_type("squeeze_excite", x.dtype(), [&]<typename T>() {
        const ChannelTiles tiles(shape.pixels, shape.channels);
        const std::vector<double> sums = sum_pixels<T>(shape, tiles, x.as<T>(), nullptr);
        for (std::size_t i = 0; i < sums.size(); ++i)
            to_pooled[i] = static_cast<float>(sums[i] / static_cast<double>(shape.pixels));
    });
    excite_forward(shape, weights1, bias1, weights2, bias2, to_pooled, to_hidden, to_gate);
}

void squeeze_excite_apply(Stream&, const SqueezeExciteShape& shape, In x, In gate, Out y) {
    const ChannelTiles tiles(shape.pixels, shape.channels);
    const std::vector<float> gates = tile_per_image(shape, tiles, gate.as<float>());
    with_float_type("squeeze_excite", x.dtype(), [&]<typename T>() {
        const T* from = x.as<T>();
        T* to = y.as<T>();
        for_each_image_block(
            shape, tiles, [&](std::int64_t, std::int64_t image, std::int64_t offset, std::int64_t elements) {
                scale_tiles(elements, tiles.width, from + offset, gates.data() + image * tiles.width, to + offset);
            });
    });
}

void squeeze_excite_backward(Stream&, const SqueezeExciteShape& shape, In x, In w1, In w2, In pooled, In hidden,
                             In gate, In dy, Out dx, Out dw1, Out db1, Out dw2, Out db2) {
    const float* gates = gate.as<float>();
    const ExciteWeights weights{w1.as<float>(), w2.as<float>()};
    const ExciteGradients parameter_gradients{dw1.as<float>(), db1.as<float>(), dw2.as<float>(), db2.as<float>()};
    const float *pooled_values = pooled.as<float>(), *hidden_values = hidden.as<float>();

    with_float_type("squeeze_excite", x.dtype(), [&]<typename T>() {
        const T *values = x.as<T>(), *gradients = dy.as<T>();
        T* to = dx.as<T>();
        const ChannelTiles tiles(shape.pixels, shape.channels);
        const std::vector<double> dgate = sum_pixels(shape, tiles, values, gradients);
        const std::vector<float> dpixel = excite_backward(shape, weights, pooled_values, hidden_values, gates,
                                                          {dgate.begin(), dgate.end()}, parameter_gradients);
        const std::vector<float> gate_tiles = tile_per_image(shape, tiles, gates);
        const std::vector<float> dpixel_tiles = tile_per_image(shape, tiles, dpixel.data());
        for_each_image_block(
            shape, tiles, [&](std::int64_t, std::int64_t image, std::int64_t offset, std::int64_t elements) {
                scale_add_tiles(elements, tiles.width, gradients + offset, gate_tiles.data() + image * tiles.width,
                                dpixel_tiles.data() + image * tiles.width, to + offset);
            });
    });
}

}  // namespace cpu
}  // namespace karyon::kernels
