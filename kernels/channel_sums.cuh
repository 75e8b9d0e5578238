#pragma once

#include "kernels/channel_slabs.cuh"

/// Sums per channel in two stages of fixed order: a block folds its rows and leaves one row of partial sums, a second
/// kernel folds these.
namespace karyon::kernels::gpu {

/// Merges value [n][width] over the block's rows of threads; thread e < thread.elements receives the result of element
/// e of the slab. merge(into [n], other [n]) adds one to another. `shared` holds n * SlabThread<T>::Rows::size floats,
/// which no thread uses any more. All threads must call it; it synchronises twice.
template <int n, typename T, std::size_t floats, typename Merge>
__device__ inline void merge_thread_rows(const SlabThread<T>& thread, const ChannelSlabs& slabs,
                                         const float (&value)[n][Pack<T>::width], float (&shared)[floats],
                                         float (&result)[n], Merge merge) {
    using Shared = typename SlabThread<T>::Rows;
    static_assert(floats >= n * Shared::size);
    if (thread.row < slabs.thread_rows)
#pragma unroll
        for (int i = 0; i < n; ++i)
            Shared::store(shared + i * Shared::size, thread.row * slabs.lanes + thread.lane, value[i]);
    __syncthreads();
    // `parts` threads share an element, each takes every parts-th row; then one of them takes what the others have.
    const int pitch = slabs.lanes * Pack<T>::width;
    const int element = static_cast<int>(threadIdx.x) % pitch, part = static_cast<int>(threadIdx.x) / pitch;
    const int parts = min(ChannelSlabs::block_threads / pitch, slabs.thread_rows);
    const auto fold = [&](int first, int end, int distance) {
#pragma unroll
        for (int i = 0; i < n; ++i) result[i] = shared[i * Shared::size + Shared::at(first * slabs.lanes, element)];
        for (int row = first + distance; row < end; row += distance) {
            float other[n];
#pragma unroll
            for (int i = 0; i < n; ++i) other[i] = shared[i * Shared::size + Shared::at(row * slabs.lanes, element)];
            merge(result, other);
        }
    };
    if (part < parts) {
        fold(part, slabs.thread_rows, parts);
#pragma unroll
        for (int i = 0; i < n; ++i) shared[i * Shared::size + Shared::at(part * slabs.lanes, element)] = result[i];
    }
    __syncthreads();
    if (part == 0) fold(0, parts, 1);
}

/// The same for n plain sums, one after the other, so that `shared` is Rows::size floats. Synchronises
/// before each, so that `shared` may have been in use.
template <int n, typename T, std::size_t floats>
__device__ inline void sum_thread_rows(const SlabThread<T>& thread, const ChannelSlabs& slabs,
                                       const float (&value)[n][Pack<T>::width], float (&shared)[floats],
                                       float (&result)[n]) {
    constexpr int width = Pack<T>::width;
#pragma unroll
    for (int i = 0; i < n; ++i) {
        float one[1][width], sum[1];
#pragma unroll
        for (int k = 0; k < width; ++k) one[0][k] = value[i][k];
        __syncthreads();
        merge_thread_rows<1>(thread, slabs, one, shared, sum,
                             [](float(&into)[1], const float(&other)[1]) { into[0] += other[0]; });
        result[i] = sum[0];
    }
}

/// Where the result of this thread's element stands in partial results [images, tiles, n, channels], for i = 0; the
/// others follow at a distance of `channels`. Only for threads below thread.elements.
template <int n, typename T>
__device__ inline std::int64_t partial_offset(const SlabThread<T>& thread, const ChannelSlabs& slabs) {
    const int element = thread.first_element + static_cast<int>(threadIdx.x), row = element / slabs.channels;
    const std::int64_t tile =
        (static_cast<std::int64_t>(thread.image) * slabs.chunks + thread.chunk) * slabs.group + row;
    return tile * n * slabs.channels + element % slabs.channels;
}

/// The end of a kernel that sums: writes the block's row of partial [images, tiles, n, channels].
template <int n, typename T, std::size_t floats>
__device__ inline void write_partial_sums(const SlabThread<T>& thread, const ChannelSlabs& slabs,
                                          const float (&value)[n][Pack<T>::width], float (&shared)[floats],
                                          float* partial) {
    float sums[n];
    sum_thread_rows(thread, slabs, value, shared, sums);
    if (static_cast<int>(threadIdx.x) >= thread.elements) return;
    const std::int64_t at = partial_offset<n>(thread, slabs);
#pragma unroll
    for (int i = 0; i < n; ++i) partial[at + static_cast<std::int64_t>(i) * slabs.channels] = sums[i];
}

inline constexpr int fold_channels = 32, fold_rows = 32;

/// finish(image, channel, sums [n]) of partial [images, tiles, n, channels]. Each of a block's rows of threads takes
/// every 32nd tile, and the 32 results are added in order.
template <int n, typename Finish>
__global__ __launch_bounds__(fold_channels* fold_rows) void fold_partial_sums_kernel(int tiles, int channels,
                                                                                     const float* partial,
                                                                                     Finish finish) {
    __shared__ float of_row[fold_rows][fold_channels];
    const int lane = static_cast<int>(threadIdx.x), row = static_cast<int>(threadIdx.y);
    const int channel = static_cast<int>(blockIdx.x) * fold_channels + lane, image = static_cast<int>(blockIdx.y);
    float sums[n] = {};
    if (channel < channels) {
        const float* from = partial + static_cast<std::int64_t>(image) * tiles * n * channels + channel;
#pragma unroll 4
        for (int tile = row; tile < tiles; tile += fold_rows)
#pragma unroll
            for (int i = 0; i < n; ++i) sums[i] += from[(static_cast<std::int64_t>(tile) * n + i) * channels];
    }
#pragma unroll
    for (int i = 0; i < n; ++i) {
        __syncthreads();
        of_row[row][lane] = sums[i];
        __syncthreads();
        if (row != 0) continue;
        for (int other = 1; other < fold_rows; ++other) sums[i] += of_row[other][lane];
    }
    if (row == 0 && channel < channels) finish(image, channel, sums);
}

template <int n, typename Finish>
void fold_partial_sums(const char* op, Stream& stream, int images, int tiles, int channels, const float* partial,
                       Finish finish) {
    const auto blocks = static_cast<unsigned>((channels + fold_channels - 1) / fold_channels);
    launch(op, stream, {dim3(blocks, static_cast<unsigned>(images)), dim3(fold_channels, fold_rows)},
           fold_partial_sums_kernel<n, Finish>, tiles, channels, partial, finish);
}
template <int n, typename Finish>
void fold_partial_sums(const char* op, Stream& stream, const ChannelSlabs& slabs, const float* partial, Finish finish) {
    fold_partial_sums<n>(op, stream, slabs.images, slabs.tiles(), slabs.channels, partial, finish);
}

/// Bytes of partial sums [images, tiles, n, channels].
inline std::size_t partial_sums_bytes(const ChannelSlabs& slabs, int n) {
    return sizeof(float) * static_cast<std::size_t>(slabs.images) * static_cast<std::size_t>(slabs.tiles()) *
           static_cast<std::size_t>(n) * static_cast<std::size_t>(slabs.channels);
}

}  // namespace karyon::kernels::gpu
