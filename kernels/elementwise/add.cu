#include "kernels/activation.cuh"
#include "kernels/elementwise/add.h"
#include "kernels/map.cuh"
#include "kernels/row_tiles.cuh"

namespace karyon::kernels::gpu {
namespace {

struct Sum {
    __device__ float operator()(float a, float b) const { return a + b; }
};

struct ScaledSum {
    float factor;

    __device__ float operator()(float y, float x) const { return y + factor * x; }
};

template <typename T, int width>
__global__ void __launch_bounds__(RowTiles::threads)
    scale_images_kernel(RowTiles tiles, const Pack<T, width>* x, const float* scale, Pack<T, width>* y) {
    const RowTile tile(tiles);
    if (!tile.inside) return;
    const float factor = scale[tile.row];
    const Pack<T, width> from = x[tile.offset(tiles)];
    Pack<T, width> to;
#pragma unroll
    for (int i = 0; i < width; ++i) to.at[i] = from_float<T>(factor * to_float(from.at[i]));
    y[tile.offset(tiles)] = to;
}

template <typename T, int width>
void launch_scale_images(Stream& stream, int batch, std::int64_t per_image, const T* x, const float* scale, T* y) {
    using Unit = Pack<T, width>;
    const RowTiles tiles(batch, per_image / width);
    if (tiles.empty()) return;
    launch("scale_images", stream, tiles.grid(), scale_images_kernel<T, width>, tiles, reinterpret_cast<const Unit*>(x),
           scale, reinterpret_cast<Unit*>(y));
}

}  // namespace

void add(Stream& stream, std::int64_t count, In a, In b, Out y) {
    with_float_type("add", y.dtype(),
                    [&]<typename T>() { map("add", stream, count, Sum{}, a.as<T>(), b.as<T>(), y.as<T>()); });
}

void scale_images(Stream& stream, int batch, std::int64_t per_image, In x, In scale, Out y) {
    with_float_type("scale_images", y.dtype(), [&]<typename T>() {
        constexpr int width = Pack<T>::width;
        const bool packs = per_image % width == 0 && are_aligned<width>(x.as<T>(), y.as<T>());
        const auto queue = packs ? launch_scale_images<T, width> : launch_scale_images<T, 1>;
        queue(stream, batch, per_image, x.as<T>(), scale.as<float>(), y.as<T>());
    });
}

void add_scaled(Stream& stream, std::int64_t count, float a, In x, Out y) {
    map("add_scaled", stream, count, ScaledSum{a}, y.as<float>(), x.as<float>(), y.as<float>());
}

}  // namespace karyon::kernels::gpu
