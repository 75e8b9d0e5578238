#include "kernels/activation.cuh"
#include "kernels/copy_unit.cuh"
#include "kernels/map.cuh"
#include "kernels/resample/upsample_nearest.h"
#include "kernels/row_tiles.cuh"

namespace karyon::kernels::gpu {
namespace {

// One thread per unit of x, which it writes to the four pixels of y. Each of the four requests of a warp is whole
// sectors where a pixel is, as with 16 f32 or bf16 channels.
template <typename Unit>
__global__ void __launch_bounds__(RowTiles::threads)
    upsample_kernel(RowTiles tiles, unsigned channels, const Unit* x, Unit* y) {
    const RowTile tile(tiles);
    if (!tile.inside) return;
    const unsigned pixel = tile.column / channels, channel = tile.column % channels;
    const Unit value = x[tile.offset(tiles)];
    Unit* upper = y + 4 * tile.row * tiles.units + 2 * pixel * channels + channel;
    Unit* lower = upper + 2 * tiles.units;
    upper[0] = value;
    upper[channels] = value;
    lower[0] = value;
    lower[channels] = value;
}

// One thread per pack of dx.
template <typename T, int width>
__global__ void __launch_bounds__(RowTiles::threads)
    upsample_backward_kernel(RowTiles tiles, unsigned channels, const Pack<T, width>* dy, Pack<T, width>* dx) {
    const RowTile tile(tiles);
    if (!tile.inside) return;
    const unsigned pixel = tile.column / channels, channel = tile.column % channels;
    const Pack<T, width>* upper = dy + 4 * tile.row * tiles.units + 2 * pixel * channels + channel;
    const Pack<T, width>* lower = upper + 2 * tiles.units;
    const Pack<T, width> a = upper[0], b = upper[channels], c = lower[0], d = lower[channels];
    Pack<T, width> sum;
#pragma unroll
    for (int i = 0; i < width; ++i)
        sum.at[i] = from_float<T>((to_float(a.at[i]) + to_float(b.at[i])) + (to_float(c.at[i]) + to_float(d.at[i])));
    dx[tile.offset(tiles)] = sum;
}

template <typename T, int width>
void launch_backward(Stream& stream, const UpsampleShape& shape, const T* dy, T* dx) {
    using Unit = Pack<T, width>;
    const int channels = shape.channels / width;
    const RowTiles tiles(std::int64_t{shape.batch} * shape.height, std::int64_t{shape.width} * channels);
    if (tiles.empty()) return;
    launch("upsample_nearest_backward", stream, tiles.grid(), upsample_backward_kernel<T, width>, tiles,
           static_cast<unsigned>(channels), reinterpret_cast<const Unit*>(dy), reinterpret_cast<Unit*>(dx));
}

}  // namespace

void upsample_nearest_forward(Stream& stream, const UpsampleShape& shape, In x, Out y) {
    with_float_type("upsample_nearest", y.dtype(), [&]<typename T>() {
        const T* from = x.as<T>();
        T* to = y.as<T>();
        const std::size_t pixel = static_cast<std::size_t>(shape.channels) * sizeof(T);
        with_copy_unit(address_bits(from) | address_bits(to) | pixel, [&]<typename Unit>() {
            const auto channels = static_cast<unsigned>(pixel / sizeof(Unit));
            const RowTiles tiles(std::int64_t{shape.batch} * shape.height, std::int64_t{shape.width} * channels);
            if (tiles.empty()) return;
            launch("upsample_nearest_forward", stream, tiles.grid(), upsample_kernel<Unit>, tiles, channels,
                   reinterpret_cast<const Unit*>(from), reinterpret_cast<Unit*>(to));
        });
    });
}

void upsample_nearest_backward(Stream& stream, const UpsampleShape& shape, In dy, Out dx) {
    with_float_type("upsample_nearest", dx.dtype(), [&]<typename T>() {
        constexpr int width = Pack<T>::width;
        const bool packs = shape.channels % width == 0 && are_aligned<width>(dy.as<T>(), dx.as<T>());
        const auto queue = packs ? launch_backward<T, width> : launch_backward<T, 1>;
        queue(stream, shape, dy.as<T>(), dx.as<T>());
    });
}

}  // namespace karyon::kernels::gpu
