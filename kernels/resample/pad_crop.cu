#include "kernels/activation.cuh"
#include "kernels/copy_unit.cuh"
#include "kernels/resample/pad_crop.h"
#include "kernels/row_tiles.cuh"

namespace karyon::kernels::gpu {
namespace {

// One thread per unit of y: zero outside x.
template <typename Unit>
__global__ void __launch_bounds__(RowTiles::threads)
    pad_crop_kernel(RowTiles tiles, PadShape shape, unsigned out_height, unsigned channels, const Unit* x, Unit* y) {
    const RowTile tile(tiles);
    if (!tile.inside) return;
    const auto row = static_cast<unsigned>(tile.row);
    const std::int64_t image = row / out_height;
    const int i = static_cast<int>(row % out_height) - shape.pad.top;
    const int j = static_cast<int>(tile.column / channels) - shape.pad.left;
    Unit value{};
    if (i >= 0 && i < shape.height && j >= 0 && j < shape.width)
        value = x[((image * shape.height + i) * shape.width + j) * channels + tile.column % channels];
    y[tile.offset(tiles)] = value;
}

}  // namespace

void pad_crop(Stream& stream, const PadShape& shape, In x, Out y) {
    shape.check();
    with_float_type("pad_crop", y.dtype(), [&]<typename T>() {
        const T* from = x.as<T>();
        T* to = y.as<T>();
        const std::size_t pixel = static_cast<std::size_t>(shape.channels) * sizeof(T);
        with_copy_unit(address_bits(from) | address_bits(to) | pixel, [&]<typename Unit>() {
            const auto channels = static_cast<unsigned>(pixel / sizeof(Unit));
            const RowTiles tiles(std::int64_t{shape.batch} * shape.out_height(),
                                 std::int64_t{shape.out_width()} * channels);
            if (tiles.empty()) return;
            launch("pad_crop", stream, tiles.grid(), pad_crop_kernel<Unit>, tiles, shape,
                   static_cast<unsigned>(shape.out_height()), channels, reinterpret_cast<const Unit*>(from),
                   reinterpret_cast<Unit*>(to));
        });
    });
}

}  // namespace karyon::kernels::gpu
