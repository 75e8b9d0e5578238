#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>

#include "kernels/launch.cuh"
#include "kernels/pack.cuh"

namespace karyon::kernels::gpu {

/// How a kernel with coefficients or sums per channel walks over x [images, rows, channels]. A thread keeps its
/// channels, one pack of 16 bytes, over many rows; so its coefficients stay in registers:
///
///              a group: the fewest rows whose elements fill whole packs
///            | slab 0: `lanes` packs | slab 1                | ...
///     group  +-----------------------+-----------------------+
///         0  | t0  t1  t2  t3  t4 .. |                       |      a block: `lanes` x `thread_rows` threads,
///         1  | t16 t17 ..            |                       |      `steps` times below each other;
///         :  |                       |                       |      that is a chunk of one slab of one image
///
/// One row is a group where channels is a multiple of the pack; 22 channels of bf16 make a group of 4 rows, 11 packs.
/// Everything follows from the shape alone.
struct ChannelSlabs {
    static constexpr int block_threads = 256;
    static constexpr int wide_lanes = 8, most_lanes = 24;  ///< packs of a slab where there are several, and one

    std::int64_t rows;
    int channels, group, lanes, slabs, thread_rows, steps, chunks, images;

    /// `width` elements make a pack; about `blocks_wanted` blocks, of no less than `least_rows`.
    ChannelSlabs(int image_count, std::int64_t row_count, int channel_count, int width, int blocks_wanted,
                 int least_rows)
        : rows(row_count), channels(channel_count), images(image_count) {
        const auto ceil_of = [](std::int64_t a, std::int64_t b) { return (a + b - 1) / b; };
        group = width / std::gcd(channels, width);
        const int packs = group * channels / width;
        lanes = static_cast<int>(ceil_of(packs, packs <= most_lanes ? 1 : ceil_of(packs, wide_lanes)));
        if (lanes < packs) lanes += lanes % 2;  // slabs begin where sectors begin
        slabs = static_cast<int>(ceil_of(packs, lanes));
        thread_rows = block_threads / lanes;
        if (lanes % 2 == 1 && thread_rows > 1) thread_rows -= thread_rows % 2;  // and so do blocks

        const std::int64_t groups = ceil_of(rows, group), block_groups = std::int64_t{thread_rows} * group;
        const std::int64_t share = rows * images * slabs / blocks_wanted;
        const std::int64_t rows_wanted = std::max({share, std::int64_t{least_rows} * group, 4 * block_groups});
        chunks = static_cast<int>(std::max<std::int64_t>(rows / rows_wanted, 1));
        steps = static_cast<int>(ceil_of(groups, std::int64_t{thread_rows} * chunks));
        chunks = static_cast<int>(ceil_of(groups, std::int64_t{thread_rows} * steps));
    }

    Grid grid() const {
        return {static_cast<unsigned>(slabs) * static_cast<unsigned>(chunks) * static_cast<unsigned>(images),
                block_threads};
    }
    /// Rows of partial sums that an image leaves: each of a group's rows has its own.
    int tiles() const { return chunks * group; }
};

/// A reduction leaves a row of partial sums per block, so it takes only as many blocks as fill a large GPU, and rows
/// against which the partial sums weigh little.
template <typename T>
ChannelSlabs reduction_slabs(int images, std::int64_t rows, int channels) {
    return {images, rows, channels, Pack<T>::width, 528, 256};
}
/// An elementwise kernel takes some more blocks, for balance, and rows against which its coefficients weigh little.
template <typename T>
ChannelSlabs elementwise_slabs(int images, std::int64_t rows, int channels) {
    return {images, rows, channels, Pack<T>::width, 2112, 128};
}

/// Packs of f32 values in shared memory, one per element of a Pack<T>: in quads of 16 bytes, the first quads of all
/// packs before the second ones, so that neither lanes with a quad each nor neighbouring threads with an element each
/// meet in a bank.
template <typename T, int packs>
struct SharedPacks {
    static constexpr int width = Pack<T>::width, quad = Pack<float>::width;
    static constexpr int plane = packs * quad + (width > quad ? 16 : 0), size = plane * (width / quad);
    static_assert(packs * quad % 32 == 0);

    /// Element `e` counted from the first of pack `pack`.
    __device__ static int at(int pack, int e) {
        return e % width / quad * plane + (pack + e / width) * quad + e % quad;
    }
    __device__ static void store(float* shared, int pack, const float (&value)[width]) {
#pragma unroll
        for (int k = 0; k < width; k += quad)
            *reinterpret_cast<float4*>(shared + at(pack, k)) =
                make_float4(value[k], value[k + 1], value[k + 2], value[k + 3]);
    }
    __device__ static void load(const float* shared, int pack, float (&value)[width]) {
#pragma unroll
        for (int k = 0; k < width; k += quad) {
            const float4 four = *reinterpret_cast<const float4*>(shared + at(pack, k));
            value[k] = four.x;
            value[k + 1] = four.y;
            value[k + 2] = four.z;
            value[k + 3] = four.w;
        }
    }
};

/// What one thread of the grid has to do.
template <typename T>
struct SlabThread {
    static constexpr int width = Pack<T>::width;
    using Coefficients = SharedPacks<T, ChannelSlabs::most_lanes>;
    using Rows = SharedPacks<T, ChannelSlabs::block_threads>;
    static_assert(ChannelSlabs::most_lanes * width <= ChannelSlabs::block_threads);

    int image, chunk, lane, row;
    int first_element;    ///< of the slab in the group; element e has channel e % channels
    int elements;         ///< of the slab
    int steps = 0;        ///< packs of this thread, a last one may be cut off by the image's end
    int whole = 0;        ///< those of them that are not cut off
    std::int64_t begin;   ///< of the image, in elements
    std::int64_t count;   ///< elements of the image
    std::int64_t offset;  ///< of the first pack from `begin`
    std::int64_t stride;  ///< from one pack to the next

    __device__ explicit SlabThread(const ChannelSlabs& slabs) {
        const int block = static_cast<int>(blockIdx.x), slab = block % slabs.slabs, index = block / slabs.slabs;
        const int thread = static_cast<int>(threadIdx.x);
        image = index / slabs.chunks;
        chunk = index % slabs.chunks;
        row = thread / slabs.lanes;
        lane = thread % slabs.lanes;
        first_element = slab * slabs.lanes * width;
        const int group_elements = slabs.group * slabs.channels;
        elements = min(slabs.lanes * width, group_elements - first_element);
        count = slabs.rows * slabs.channels;
        begin = image * count;
        const std::int64_t group = static_cast<std::int64_t>(chunk) * slabs.steps * slabs.thread_rows + row;
        offset = group * group_elements + first_element + lane * width;
        stride = static_cast<std::int64_t>(slabs.thread_rows) * group_elements;
        if (row >= slabs.thread_rows || lane * width >= elements || offset >= count) return;
        const std::int64_t until_end = count - offset;
        steps = static_cast<int>(min(static_cast<std::int64_t>(slabs.steps), (until_end + stride - 1) / stride));
        whole = steps - ((steps - 1) * stride + width > until_end ? 1 : 0);
    }
};

/// Calls body(step, in, out, valid) for every pack of the thread, in order: in [inputs][width] are the elements in f32,
/// of which the first `valid` are there; out [width] is what it writes to `to`, unless that is null. Inputs but the
/// first may be null, too, and read as 0; each of them may be `to`. 16 bytes move at a time where all pointers allow.
template <int unroll, int inputs, typename T, typename Body>
__device__ inline void for_each_pack(const SlabThread<T>& thread, const T* const (&from)[inputs], T* to, Body body) {
    constexpr int width = Pack<T>::width;
    const T* image[inputs];
    T* const target = to ? to + thread.begin : nullptr;
    bool aligned = is_aligned(target);
#pragma unroll
    for (int i = 0; i < inputs; ++i) {
        image[i] = from[i] ? from[i] + thread.begin : nullptr;
        aligned = aligned && is_aligned(image[i]);
    }
    const int whole = aligned ? thread.whole : 0;
    float in[inputs][width], out[width];

    for (int first = 0; first < whole; first += unroll) {
        Pack<T> packs[unroll][inputs];
#pragma unroll
        for (int u = 0; u < unroll; ++u)
#pragma unroll
            for (int i = 0; i < inputs; ++i)
                if (first + u < whole && (i == 0 || image[i]))
                    packs[u][i] =
                        *reinterpret_cast<const Pack<T>*>(image[i] + thread.offset + (first + u) * thread.stride);
#pragma unroll
        for (int u = 0; u < unroll; ++u) {
            if (first + u >= whole) break;
#pragma unroll
            for (int i = 0; i < inputs; ++i)
#pragma unroll
                for (int k = 0; k < width; ++k) in[i][k] = i == 0 || image[i] ? to_float(packs[u][i].at[k]) : 0.0f;
            body(first + u, in, out, width);
            if (!target) continue;
            Pack<T> result;
#pragma unroll
            for (int k = 0; k < width; ++k) result.at[k] = from_float<T>(out[k]);
            *reinterpret_cast<Pack<T>*>(target + thread.offset + (first + u) * thread.stride) = result;
        }
    }
    for (int step = whole; step < thread.steps; ++step) {
        const std::int64_t at = thread.offset + step * thread.stride;
        const int valid = static_cast<int>(min(static_cast<std::int64_t>(width), thread.count - at));
#pragma unroll
        for (int i = 0; i < inputs; ++i)
#pragma unroll
            for (int k = 0; k < width; ++k)
                in[i][k] = k < valid && (i == 0 || image[i]) ? to_float(image[i][at + k]) : 0.0f;
        body(step, in, out, valid);
        if (!target) continue;
#pragma unroll
        for (int k = 0; k < width; ++k)
            if (k < valid) target[at + k] = from_float<T>(out[k]);
    }
}

/// Fills value [n][width] for the channels of the thread: of(channel, values [n]) is called once per element of the
/// slab. `shared` holds n * SlabThread<T>::Coefficients::size floats or more. All threads must call it; it synchronises
/// once.
template <int n, typename T, std::size_t floats, typename Of>
__device__ inline void load_coefficients(const SlabThread<T>& thread, const ChannelSlabs& slabs,
                                         float (&shared)[floats], float (&value)[n][Pack<T>::width], Of of) {
    using Shared = typename SlabThread<T>::Coefficients;
    static_assert(floats >= n * Shared::size);
    const int element = static_cast<int>(threadIdx.x);
    if (element < thread.elements) {
        float values[n];
        of((thread.first_element + element) % slabs.channels, values);
#pragma unroll
        for (int i = 0; i < n; ++i) shared[i * Shared::size + Shared::at(0, element)] = values[i];
    }
    __syncthreads();
    if (thread.lane * Pack<T>::width >= thread.elements) return;
#pragma unroll
    for (int i = 0; i < n; ++i) Shared::load(shared + i * Shared::size, thread.lane, value[i]);
}

}  // namespace karyon::kernels::gpu
