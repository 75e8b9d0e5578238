#include "kernels/activation.cuh"
#include "kernels/map.cuh"
#include "kernels/reduce.cuh"
#include "kernels/resample/bilinear_resize.h"
#include "kernels/row_tiles.cuh"

namespace karyon::kernels::gpu {
namespace {

constexpr int longest_side = 32767;  // positions stay below 2^31

/// One dimension of the resampling. Source positions are kept as whole numbers of 1 / (2 out) pixels: exact, and cheap
/// where double precision is not.
struct Axis {
    int in, out;

    __device__ int unit() const { return 2 * out; }
    /// Where output `o` looks, edges clamped.
    __device__ int position(int o) const { return min(max((2 * o + 1) * in - out, 0), unit() * (in - 1)); }
    /// The weight of input i in output o, times unit().
    __device__ int weight(int i, int o) const { return max(unit() - abs(position(o) - unit() * i), 0); }
    /// The outputs that may look at input i: [first(i), end(i)).
    __device__ int first(int i) const { return i == 0 ? 0 : ((2 * i - 1) * out / in + 1) / 2; }
    __device__ int end(int i) const { return i == in - 1 ? out : ((2 * i + 3) * out + in - 1) / in / 2; }
};

/// (1 - weight) * in[low] + weight * in[high].
struct Tap {
    int low, high;
    float weight;

    __device__ Tap(const Axis& axis, int o) {
        const int position = axis.position(o);
        low = position / axis.unit();
        high = min(low + 1, axis.in - 1);
        weight = static_cast<float>(position - low * axis.unit()) / static_cast<float>(axis.unit());
    }
    __device__ float blend(float a, float b) const { return (1 - weight) * a + weight * b; }
};

template <typename T, int width>
__global__ void __launch_bounds__(RowTiles::threads)
    resize_kernel(RowTiles tiles, Axis rows, Axis columns, unsigned channels, const Pack<T, width>* x,
                  Pack<T, width>* y) {
    const RowTile tile(tiles);
    if (!tile.inside) return;
    const auto row = static_cast<unsigned>(tile.row), height = static_cast<unsigned>(rows.out);
    const Tap vertical(rows, static_cast<int>(row % height));
    const Tap horizontal(columns, static_cast<int>(tile.column / channels));
    const std::int64_t first_row = std::int64_t{row / height} * rows.in;
    const Pack<T, width>* upper = x + (first_row + vertical.low) * columns.in * channels + tile.column % channels;
    const Pack<T, width>* lower = x + (first_row + vertical.high) * columns.in * channels + tile.column % channels;
    const std::int64_t left = std::int64_t{horizontal.low} * channels, right = std::int64_t{horizontal.high} * channels;
    const Pack<T, width> a = upper[left], b = upper[right], c = lower[left], d = lower[right];
    Pack<T, width> result;
#pragma unroll
    for (int i = 0; i < width; ++i) {
        const float low = vertical.blend(to_float(a.at[i]), to_float(c.at[i]));
        const float high = vertical.blend(to_float(b.at[i]), to_float(d.at[i]));
        result.at[i] = from_float<T>(horizontal.blend(low, high));
    }
    y[tile.offset(tiles)] = result;
}

/// What a weight of 1 stands for: sums are divided by the units of both axes. By the reciprocal and what it leaves,
/// which is exact where the quotient is; a division would cost registers for its slow path.
struct UnitWeight {
    float whole, inverse;

    explicit UnitWeight(const ResizeShape& shape)
        : whole(static_cast<float>(2 * shape.out_height) * static_cast<float>(2 * shape.out_width)),
          inverse(1.0f / whole) {}
    __device__ float of(float sum) const {
        const float quotient = sum * inverse;
        return fmaf(fmaf(-quotient, whole, sum), inverse, quotient);
    }
};

// Gather form: one thread per pack of dx visits the outputs that looked at its pixel, row by row. The weights are whole
// numbers until the end, where UnitWeight scales the sum.
template <typename T, int width>
__global__ void __launch_bounds__(RowTiles::threads)
    resize_backward_kernel(RowTiles tiles, Axis rows, Axis columns, UnitWeight unit, unsigned channels,
                           const Pack<T, width>* dy, Pack<T, width>* dx) {
    const RowTile tile(tiles);
    if (!tile.inside) return;
    const auto row = static_cast<unsigned>(tile.row), height = static_cast<unsigned>(rows.in);
    const int i = static_cast<int>(row % height), j = static_cast<int>(tile.column / channels);
    const std::int64_t first_row = std::int64_t{row / height} * rows.out;
    const int first = columns.first(j), end = columns.end(j);
    float sum[width] = {};
    for (int p = rows.first(i); p < rows.end(i); ++p) {
        const Pack<T, width>* from = dy + (first_row + p) * columns.out * channels + tile.column % channels;
        const auto of_row = static_cast<float>(rows.weight(i, p));
        for (int q = first; q < end; ++q) {
            const float weight = of_row * static_cast<float>(columns.weight(j, q));
            const Pack<T, width> value = from[std::int64_t{q} * channels];
#pragma unroll
            for (int k = 0; k < width; ++k) sum[k] += weight * to_float(value.at[k]);
        }
    }
    Pack<T, width> result;
#pragma unroll
    for (int k = 0; k < width; ++k) result.at[k] = from_float<T>(unit.of(sum[k]));
    dx[tile.offset(tiles)] = result;
}

constexpr int warps_per_block = 8;

// For few channels and a large magnification: one warp per element of dx, its lanes spread over the outputs.
template <typename T>
__global__ void __launch_bounds__(warps_per_block* warp_lanes)
    resize_backward_warp_kernel(std::int64_t count, Axis rows, Axis columns, UnitWeight unit, unsigned channels,
                                const T* dy, T* dx) {
    const std::int64_t at = std::int64_t{blockIdx.x} * warps_per_block + threadIdx.x / warp_lanes;
    if (at >= count) return;
    const auto channel = static_cast<unsigned>(at % channels);
    const int j = static_cast<int>(at / channels % columns.in);
    const std::int64_t row = at / channels / columns.in;
    const int i = static_cast<int>(row % rows.in);
    const T* from = dy + row / rows.in * rows.out * columns.out * channels + channel;
    const int top = rows.first(i), left = columns.first(j);
    const int wide = columns.end(j) - left, outputs = (rows.end(i) - top) * wide;
    float sum = 0;
    for (int k = static_cast<int>(threadIdx.x) % warp_lanes; k < outputs; k += warp_lanes) {
        const int p = top + k / wide, q = left + k % wide;
        const float weight = static_cast<float>(rows.weight(i, p)) * static_cast<float>(columns.weight(j, q));
        sum += weight * to_float(from[(std::int64_t{p} * columns.out + q) * channels]);
    }
    sum = warp_sum(sum);
    if (threadIdx.x % warp_lanes == 0) dx[at] = from_float<T>(unit.of(sum));
}

void check_sides(const ResizeShape& shape) {
    for (const int side : {shape.in_height, shape.in_width, shape.out_height, shape.out_width})
        if (side < 1 || side > longest_side)
            throw Error("bilinear_resize", "expected sides of 1 to {} pixels, got {}", longest_side, side);
}

template <typename T, int width>
void launch_forward(Stream& stream, const ResizeShape& shape, const T* x, T* y) {
    using Unit = Pack<T, width>;
    const int channels = shape.channels / width;
    const RowTiles tiles(std::int64_t{shape.batch} * shape.out_height, std::int64_t{shape.out_width} * channels);
    if (tiles.empty()) return;
    launch("bilinear_resize_forward", stream, tiles.grid(), resize_kernel<T, width>, tiles,
           Axis{shape.in_height, shape.out_height}, Axis{shape.in_width, shape.out_width},
           static_cast<unsigned>(channels), reinterpret_cast<const Unit*>(x), reinterpret_cast<Unit*>(y));
}

template <typename T, int width>
void launch_backward(Stream& stream, const ResizeShape& shape, const T* dy, T* dx) {
    using Unit = Pack<T, width>;
    const int channels = shape.channels / width;
    const RowTiles tiles(std::int64_t{shape.batch} * shape.in_height, std::int64_t{shape.in_width} * channels);
    if (tiles.empty()) return;
    launch("bilinear_resize_backward", stream, tiles.grid(), resize_backward_kernel<T, width>, tiles,
           Axis{shape.in_height, shape.out_height}, Axis{shape.in_width, shape.out_width}, UnitWeight(shape),
           static_cast<unsigned>(channels), reinterpret_cast<const Unit*>(dy), reinterpret_cast<Unit*>(dx));
}

template <typename T>
void launch_backward_warps(Stream& stream, const ResizeShape& shape, const T* dy, T* dx) {
    const std::int64_t count = std::int64_t{shape.batch} * shape.in_height * shape.in_width * shape.channels;
    if (count == 0) return;
    const auto blocks = static_cast<unsigned>((count + warps_per_block - 1) / warps_per_block);
    launch("bilinear_resize_backward", stream, {blocks, warps_per_block * warp_lanes}, resize_backward_warp_kernel<T>,
           count, Axis{shape.in_height, shape.out_height}, Axis{shape.in_width, shape.out_width}, UnitWeight(shape),
           static_cast<unsigned>(shape.channels), dy, dx);
}

/// About how many outputs look at one input.
double outputs_per_input(const ResizeShape& shape) {
    const double rows = 2.0 * shape.out_height / shape.in_height, columns = 2.0 * shape.out_width / shape.in_width;
    return rows * columns;
}

}  // namespace

void bilinear_resize_forward(Stream& stream, const ResizeShape& shape, In x, Out y) {
    check_sides(shape);
    with_float_type("bilinear_resize", y.dtype(), [&]<typename T>() {
        constexpr int width = Pack<T>::width;
        const bool packs = shape.channels % width == 0 && are_aligned<width>(x.as<T>(), y.as<T>());
        const auto queue = packs ? launch_forward<T, width> : launch_forward<T, 1>;
        queue(stream, shape, x.as<T>(), y.as<T>());
    });
}

void bilinear_resize_backward(Stream& stream, const ResizeShape& shape, In dy, Out dx) {
    check_sides(shape);
    with_float_type("bilinear_resize", dx.dtype(), [&]<typename T>() {
        constexpr int width = Pack<T>::width;
        const bool packs = shape.channels % width == 0 && are_aligned<width>(dy.as<T>(), dx.as<T>());
        const auto queue = packs                            ? launch_backward<T, width>
                           : outputs_per_input(shape) >= 64 ? launch_backward_warps<T>
                                                            : launch_backward<T, 1>;
        queue(stream, shape, dy.as<T>(), dx.as<T>());
    });
}

}  // namespace karyon::kernels::gpu
