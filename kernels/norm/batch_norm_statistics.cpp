#include <memory>

#include "kernels/blocks.h"
#include "kernels/channel_tiles.h"
#include "kernels/float_type.h"
#include "kernels/norm/batch_norm.h"
#include "kernels/simd.h"

namespace karyon::kernels::cpu {
namespace {

/// Sums over the tiles of a block of d = x - shift and of d^2, where shift is the first tile. Since shift is one of the
/// values, sum d^2 - (sum d)^2 / n loses at most a factor n of precision, whatever the mean; n is some hundred.
template <typename T>
KARYON_SIMD void shifted_sums(std::int64_t count, std::int64_t width, const T* x, float* sums, float* squares) {
    for (std::int64_t tile = width; tile < count; tile += width) {
        const std::int64_t size = std::min(width, count - tile);
        const T* from = x + tile;
#pragma GCC ivdep
        for (std::int64_t i = 0; i < size; ++i) {
            const float d = float(from[i]) - float(x[i]);
            sums[i] += d;
            squares[i] += d * d;
        }
    }
}

/// (count, mean, M2) of a set of rows, M2 being the sum of squared distances from the mean.
struct Moments {
    double count = 0;
    double* mean;
    double* m2;
};

/// Chan, Golub, LeVeque 1979. `mean_of(c)` and `m2_of(c)` are those of the `count` rows to be added.
template <typename MeanOf, typename M2Of>
KARYON_INLINE void merge(Moments& total, int channels, double count, MeanOf mean_of, M2Of m2_of) {
    const double sum = total.count + count, share = count / sum, weight = total.count * share;
#pragma GCC ivdep
    for (int c = 0; c < channels; ++c) {
        const double delta = mean_of(c) - total.mean[c];
        total.mean[c] += delta * share;
        total.m2[c] += m2_of(c) + delta * delta * weight;
    }
    total.count = sum;
}

/// The moments of a block: every row of a tile has a shift and sums of its own, over the rows below it.
template <typename T>
KARYON_SIMD void merge_tile_rows(Moments& total, int channels, std::int64_t rows, std::int64_t repeat, const T* x,
                                 const float* sums, const float* squares) {
    for (std::int64_t row = 0; row < std::min(repeat, rows); ++row) {
        const auto count = static_cast<double>((rows - row + repeat - 1) / repeat);
        const double inverse = 1 / count;
        const T* shift = x + row * channels;
        const float *sum = sums + row * channels, *square = squares + row * channels;
        merge(
            total, channels, count,
            [=](int c) __attribute__((always_inline)) { return double(float(shift[c])) + double{sum[c]} * inverse; },
            [=](int c) __attribute__((always_inline)) {
                const double m2 = double{square[c]} - double{sum[c]} * double{sum[c]} * inverse;
                return m2 < 0 ? 0 : m2;
            });
    }
}

KARYON_SIMD void merge_block(Moments& total, int channels, const Moments& block) {
    const double *mean = block.mean, *m2 = block.m2;
    merge(
        total, channels, block.count, [=](int c) __attribute__((always_inline)) { return mean[c]; },
        [=](int c) __attribute__((always_inline)) { return m2[c]; });
}

}  // namespace

void batch_norm_statistics(Stream&, const BatchNormShape& shape, In x, Out mean, Out variance) {
    float *means = mean.as<float>(), *variances = variance.as<float>();
    const ChannelTiles tiles(shape.rows, shape.channels);
    const int channels = shape.channels;

    const auto partials = std::make_unique<double[]>(static_cast<std::size_t>(tiles.blocks() * 2 * channels));
    const auto moments_of = [&](std::int64_t block) {
        double* partial = partials.get() + block * 2 * channels;
        return Moments{0, partial, partial + channels};
    };
    with_float_type("batch_norm", x.dtype(), [&]<typename T>() {
        const T* from = x.as<T>();
        for_each_item(tiles.blocks(), [&](std::int64_t block) {
            std::vector<float> sums(static_cast<std::size_t>(2 * tiles.width));
            const T* rows = from + tiles.begin(block);
            shifted_sums(tiles.elements_of(block), tiles.width, rows, sums.data(), sums.data() + tiles.width);
            Moments moments = moments_of(block);
            merge_tile_rows(moments, channels, tiles.rows_of(block), tiles.repeat, rows, sums.data(),
                            sums.data() + tiles.width);
        });
    });

    Moments total = moments_of(0);
    total.count = static_cast<double>(tiles.rows_of(0));
    for (std::int64_t block = 1; block < tiles.blocks(); ++block) {
        Moments moments = moments_of(block);
        moments.count = static_cast<double>(tiles.rows_of(block));
        merge_block(total, channels, moments);
    }
    for (int c = 0; c < channels; ++c) {
        means[c] = static_cast<float>(total.mean[c]);
        variances[c] = static_cast<float>(total.m2[c] / total.count);
    }
}

}  // namespace karyon::kernels::cpu
