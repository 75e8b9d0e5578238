#include "kernels/activation.cuh"
#include "kernels/excite/excitation.cuh"
#include "kernels/launch.cuh"
#include "kernels/pack.cuh"
#include "kernels/reduce.cuh"

namespace karyon::kernels::gpu {
namespace {

constexpr int block_threads = 1024, block_warps = block_threads / warp_lanes;

// `rows` dot products of x with neighbouring rows of w, by one warp; the same value in every lane. Rows from `valid`
// on are not read.
template <int rows>
__device__ void dot_rows(int count, const float* w, int valid, const float* x, float (&sums)[rows]) {
    constexpr int width = Pack<float>::width;
    const int lane = static_cast<int>(threadIdx.x) % warp_lanes;
    const int packed = count % width == 0 && is_aligned(w) && is_aligned(x) ? count : 0;
#pragma unroll
    for (int row = 0; row < rows; ++row) sums[row] = 0;
#pragma unroll 2
    for (int i = lane * width; i < packed; i += warp_lanes * width) {
        const auto value = *reinterpret_cast<const Pack<float>*>(x + i);
#pragma unroll
        for (int row = 0; row < rows; ++row) {
            if (row >= valid) break;
            const auto weight = *reinterpret_cast<const Pack<float>*>(w + static_cast<std::int64_t>(row) * count + i);
#pragma unroll
            for (int k = 0; k < width; ++k) sums[row] += value.at[k] * weight.at[k];
        }
    }
    for (int i = packed + lane; i < count; i += warp_lanes)
#pragma unroll
        for (int row = 0; row < rows; ++row)
            if (row < valid) sums[row] += x[i] * w[static_cast<std::int64_t>(row) * count + i];
#pragma unroll
    for (int row = 0; row < rows; ++row) sums[row] = warp_sum(sums[row]);
}

// One block per image: hidden, its SiLU in shared memory, the gate.
__global__ __launch_bounds__(block_threads) void excite_kernel(SqueezeExciteShape shape, ExciteWeights weights,
                                                               const float* pooled, float* hidden, float* gate) {
    constexpr int rows = 4, dot_lanes = 8;
    extern __shared__ float activated[];
    const int thread = static_cast<int>(threadIdx.x), lane = thread % warp_lanes;
    const float* x = pooled + static_cast<std::int64_t>(blockIdx.x) * shape.channels;
    hidden += static_cast<std::int64_t>(blockIdx.x) * shape.reduced;
    gate += static_cast<std::int64_t>(blockIdx.x) * shape.channels;

    for (int h = thread / warp_lanes * rows; h < shape.reduced; h += block_warps * rows) {
        float sums[rows];
        dot_rows(shape.channels, weights.w1 + static_cast<std::int64_t>(h) * shape.channels, shape.reduced - h, x,
                 sums);
#pragma unroll
        for (int row = 0; row < rows; ++row)
            if (lane == row && h + row < shape.reduced) {
                const float value = sums[row] + weights.b1[h + row];
                hidden[h + row] = value;
                activated[h + row] = activate<Activation::silu>(value);
            }
    }
    __syncthreads();
    // The rows of w2 are short: 8 lanes share one, and the warp reads four neighbouring rows at a time.
    const int part = thread % dot_lanes, first = thread / dot_lanes;
    for (int base = 0; base < shape.channels; base += block_threads / dot_lanes) {
        const int c = base + first;
        float sum = 0;
        if (c < shape.channels) {
            const float* w = weights.w2 + static_cast<std::int64_t>(c) * shape.reduced;
#pragma unroll 4
            for (int h = part; h < shape.reduced; h += dot_lanes) sum += activated[h] * w[h];
        }
#pragma unroll
        for (int distance = dot_lanes / 2; distance > 0; distance /= 2)
            sum += __shfl_xor_sync(all_lanes, sum, distance);
        if (part == 0 && c < shape.channels) gate[c] = sigmoid(sum + weights.b2[c]);
    }
}

// One block per image: from the gate's gradient to the gradients of what the two products gave, and of a pixel.
__global__ __launch_bounds__(block_threads) void excite_backward_kernel(SqueezeExciteShape shape, ExciteWeights weights,
                                                                        const float* hidden, const float* gate,
                                                                        const float* dgate, std::int64_t image_stride,
                                                                        ExciteScratch to, float* dpixel) {
    __shared__ float partial[block_threads];
    const int thread = static_cast<int>(threadIdx.x), channels = shape.channels, reduced = shape.reduced;
    const std::int64_t image = blockIdx.x;
    gate += image * channels;
    dgate += image * image_stride;
    dpixel += image * channels;
    hidden += image * reduced;
    float *dexpanded = to.dexpanded + image * channels, *dhidden = to.dhidden + image * reduced;

    for (int c = thread; c < channels; c += block_threads) dexpanded[c] = dgate[c] * gate[c] * (1 - gate[c]);
    __syncthreads();
    // A row of threads covers the columns of w2, each takes every other row of it.
    for (int first = 0; first < reduced; first += block_threads) {
        const int columns = min(block_threads, reduced - first), rows = block_threads / columns;
        const int h = thread % columns, row = thread / columns;
        float sum = 0;
        if (row < rows) {
#pragma unroll 8
            for (int c = row; c < channels; c += rows)
                sum += dexpanded[c] * weights.w2[static_cast<std::int64_t>(c) * reduced + first + h];
        }
        partial[thread] = sum;
        __syncthreads();
        if (row == 0) {
            for (int other = 1; other < rows; ++other) sum += partial[other * columns + h];
            const float value = hidden[first + h];
            dhidden[first + h] = sum * activation_slope<Activation::silu>(value);
            to.activated[image * reduced + first + h] = activate<Activation::silu>(value);
        }
        __syncthreads();
    }
    const float per_pixel = 1.0f / static_cast<float>(shape.pixels);
    for (int c = thread; c < channels; c += block_threads) {
        float sum = 0;
#pragma unroll 8
        for (int h = 0; h < reduced; ++h) sum += dhidden[h] * weights.w1[static_cast<std::int64_t>(h) * channels + c];
        dpixel[c] = sum * per_pixel;
    }
}

constexpr int slab_channels = 32, slab_threads = 256, staged_images = 8;

// A block adds up the parameters' gradients of 32 channels, [32, reduced] of w2 and [reduced, 32] of w1, a few images
// at a time; `staged` are these images' [32] dexpanded and pooled, [reduced] activated and dhidden.
__global__ __launch_bounds__(slab_threads) void excite_parameters_kernel(SqueezeExciteShape shape, ExciteScratch from,
                                                                         const float* pooled, ExciteGradients to) {
    extern __shared__ float staged[];
    const int channels = shape.channels, reduced = shape.reduced, thread = static_cast<int>(threadIdx.x);
    const int first = static_cast<int>(blockIdx.x) * slab_channels, slab = min(slab_channels, channels - first);
    float *dexpanded = staged, *pooled_values = dexpanded + staged_images * slab_channels;
    float *activated = pooled_values + staged_images * slab_channels, *dhidden = activated + staged_images * reduced;
    for (int begin = 0; begin < shape.batch; begin += staged_images) {
        const int images = min(staged_images, shape.batch - begin);
        __syncthreads();
        for (int i = thread; i < images * slab; i += slab_threads) {
            const int n = i / slab, c = i % slab;
            const std::int64_t at = static_cast<std::int64_t>(begin + n) * channels + first + c;
            dexpanded[n * slab_channels + c] = from.dexpanded[at];
            pooled_values[n * slab_channels + c] = pooled[at];
        }
        for (int i = thread; i < images * reduced; i += slab_threads) {
            const std::int64_t at = static_cast<std::int64_t>(begin) * reduced + i;
            activated[i] = from.activated[at];
            dhidden[i] = from.dhidden[at];
        }
        __syncthreads();
        if (to.w2)
            for (int i = thread; i < slab * reduced; i += slab_threads) {
                const int c = i / reduced, h = i % reduced;
                float sum = 0;
                for (int n = 0; n < images; ++n) sum += dexpanded[n * slab_channels + c] * activated[n * reduced + h];
                to.w2[static_cast<std::int64_t>(first) * reduced + i] += sum;
            }
        if (to.w1)
            for (int i = thread; i < reduced * slab_channels; i += slab_threads) {
                const int h = i / slab_channels, c = i % slab_channels;
                if (c >= slab) continue;
                float sum = 0;
                for (int n = 0; n < images; ++n) sum += dhidden[n * reduced + h] * pooled_values[n * slab_channels + c];
                to.w1[static_cast<std::int64_t>(h) * channels + first + c] += sum;
            }
        if (to.b2 && thread < slab) {
            float sum = 0;
            for (int n = 0; n < images; ++n) sum += dexpanded[n * slab_channels + thread];
            to.b2[first + thread] += sum;
        }
        if (to.b1 && blockIdx.x == 0)
            for (int h = thread; h < reduced; h += slab_threads) {
                float sum = 0;
                for (int n = 0; n < images; ++n) sum += dhidden[n * reduced + h];
                to.b1[h] += sum;
            }
    }
}

std::size_t staged_bytes(int reduced) {
    return sizeof(float) * staged_images * 2 * (slab_channels + static_cast<std::size_t>(reduced));
}

// All shared memory is what a kernel has without asking for more.
void check_reduced(const char* op, int reduced) {
    constexpr int most = 736;
    if (reduced > most) throw Error(op, "expected at most {} reduced channels, got {}", most, reduced);
}

}  // namespace

void excite_forward(const char* op, Stream& stream, const SqueezeExciteShape& shape, const ExciteWeights& weights,
                    const float* pooled, float* hidden, float* gate) {
    check_reduced(op, shape.reduced);
    const std::size_t shared = sizeof(float) * static_cast<std::size_t>(shape.reduced);
    launch(op, stream, {static_cast<unsigned>(shape.batch), block_threads, shared}, excite_kernel, shape, weights,
           pooled, hidden, gate);
}

void excite_backward(const char* op, Stream& stream, const SqueezeExciteShape& shape, const ExciteWeights& weights,
                     const float* pooled, const float* hidden, const float* gate, const float* dgate,
                     std::int64_t image_stride, const ExciteScratch& scratch, float* dpixel,
                     const ExciteGradients& gradients) {
    check_reduced(op, shape.reduced);
    launch(op, stream, {static_cast<unsigned>(shape.batch), block_threads}, excite_backward_kernel, shape, weights,
           hidden, gate, dgate, image_stride, scratch, dpixel);
    const auto blocks = static_cast<unsigned>((shape.channels + slab_channels - 1) / slab_channels);
    launch(op, stream, {blocks, slab_threads, staged_bytes(shape.reduced)}, excite_parameters_kernel, shape, scratch,
           pooled, gradients);
}

}  // namespace karyon::kernels::gpu
