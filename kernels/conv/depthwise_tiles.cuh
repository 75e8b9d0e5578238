#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/conv/depthwise_conv.h"
#include "kernels/conv/depthwise_window.cuh"
#include "kernels/mma.cuh"
#include "kernels/word.cuh"

/// How the depthwise kernels go over a batch: a block takes 64 bytes of channels (a slab: 32 of bf16, 16 of f32) of a
/// tile of patches, from one image or from several small ones. The tile's inputs are staged in shared memory, and so
/// come from global memory once but for the halo. A lane takes 4 bytes of channels, half a warp (a strip) a patch.
namespace karyon::kernels::gpu::depthwise {

inline constexpr int block_threads = 256, strip_lanes = 16, strips = block_threads / strip_lanes;
inline constexpr int slab_bytes = 64;
inline constexpr int shared_bytes_limit = 48 * 1024;

template <typename T>
inline constexpr int slab_channels = slab_bytes / sizeof(T);

/// An image batch, NHWC. `vectors`: every pixel's channels start at a multiple of 16 bytes and fill whole ones.
template <typename T>
struct Images {
    T* data;
    int batch, height, width, channels;
    bool vectors;

    /// `beside`: what is read in the same vectors, or null.
    Images(T* data_, int batch_, int height_, int width_, int channels_, const void* beside = nullptr)
        : data(data_), batch(batch_), height(height_), width(width_), channels(channels_) {
        vectors = is_aligned(data) && is_aligned(beside) && channels % Pack<std::remove_const_t<T>>::width == 0;
    }
    __device__ std::ptrdiff_t row(int image, int row) const {
        return (static_cast<std::ptrdiff_t>(image) * height + row) * width * channels;
    }
};

/// The tiles of a launch, from its shape alone. Patch [0, 0] of an image starts at output [out_top, out_left] and at
/// input [in_top, in_left]; both may be outside.
struct Tiles {
    int in_top, in_left, out_top = 0, out_left = 0;
    int images = 1, rows = 1, columns = 1;  ///< of a tile: images, and patches of each
    int down = 1, across = 1, groups = 1;   ///< tiles of an image, and groups of images

    __host__ __device__ int count() const { return groups * down * across; }
};

/// Where a tile starts: the first image, and the first patch along both axes.
struct TileStart {
    int image, row, column;

    __device__ TileStart(const Tiles& tiles, int tile) {
        const int line = tile / tiles.across;
        column = (tile - line * tiles.across) * tiles.columns;
        image = line / tiles.down * tiles.images;
        row = line % tiles.down * tiles.rows;
    }
};

/// The inputs of a tile in shared memory, a slot of 64 bytes for a pixel. A row of the next patch starts one slot
/// further to the right, or the left: the two strips of a warp, which take patches one below the other, then meet
/// different banks.
template <typename Window>
struct Stage {
    int rows, columns, pitch;

    __host__ __device__ explicit Stage(const Tiles& tiles)
        : rows((tiles.rows - 1) * Window::row_step + Window::in_rows),
          columns((tiles.columns - 1) * Window::column_step + Window::in_columns),
          pitch((columns + 2) / 2 * 2) {}

    __host__ __device__ int bytes(int images) const { return images * rows * pitch * slab_bytes; }
    __device__ int offset(int image, int row, int column) const {
        return ((image * rows + row) * pitch + column + (row / Window::row_step & 1)) * slab_bytes;
    }
};

/// The patch of a strip in its tile; strips next to each other take patches one below the other.
struct Patch {
    int image, row, column;

    __device__ Patch(const Tiles& tiles, int index) {
        const int line = index / tiles.rows;
        row = index - line * tiles.rows;
        image = line / tiles.columns;
        column = line - image * tiles.columns;
    }
};

/// The words of one lane in the inputs of a patch.
template <typename Window>
struct PatchInputs {
    const char *even, *odd;  ///< rows of this and every second further patch, and those between
    int row_bytes;

    __device__ PatchInputs(const Stage<Window>& stage, const char* shared, const Patch& patch, int lane)
        : row_bytes(stage.pitch * slab_bytes) {
        const int row = patch.row * Window::row_step;
        shared += ((patch.image * stage.rows + row) * stage.pitch + patch.column * Window::column_step) * slab_bytes +
                  lane * 4;
        even = shared + (patch.row & 1) * slab_bytes;
        odd = shared + (~patch.row & 1) * slab_bytes;
    }
    __device__ unsigned at(int i, int j) const {
        const char* base = (i / Window::row_step & 1) != 0 ? odd : even;
        return *reinterpret_cast<const unsigned*>(base + i * row_bytes + j * slab_bytes);
    }
};

/// Calls visit(shared offset, inside, pixel's elements) for each 16 bytes of a staged tile that are this thread's: the
/// same in every pass, so that a thread may work on what it copied itself.
template <typename T, typename Window, typename Visit>
__device__ void for_each_staged_pack(const Stage<Window>& stage, const Tiles& tiles, const TileStart& start,
                                     const Images<T>& x, Visit visit) {
    const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32, pack = lane % 4;
    const int top = tiles.in_top + start.row * Window::row_step,
              left = tiles.in_left + start.column * Window::column_step;
    for (int line = warp; line < tiles.images * stage.rows; line += block_threads / 32) {
        const int image = line / stage.rows, row = line - image * stage.rows, h = top + row;
        const bool row_inside = start.image + image < x.batch && h >= 0 && h < x.height;
        T* pixels = x.data + (row_inside ? x.row(start.image + image, h) : 0);
        for (int column = lane / 4; column < stage.columns; column += 8) {
            const int v = left + column;
            const bool inside = row_inside && v >= 0 && v < x.width;
            visit(stage.offset(image, row, column) + pack * 16, inside,
                  pixels + static_cast<std::ptrdiff_t>(v) * x.channels);
        }
    }
}

/// 16 bytes of a row of `count` elements, from `first` on, to shared memory; zeros stand for what is behind its end,
/// and for a row that is null. Where rows begin at and fill multiples of 16 bytes (`vectors`) it is an asynchronous
/// copy; `somewhere` is any global address.
template <typename T>
__device__ void stage_pack(void* to, const T* row, bool inside, int first, int count, bool vectors,
                           const T* somewhere) {
    if (vectors) {
        const bool valid = inside && first < count;
        return cp_async_16(to, valid ? row + first : somewhere, valid);
    }
    Pack<T> pack;
#pragma unroll
    for (int i = 0; i < Pack<T>::width; ++i)
        pack.at[i] = inside && first + i < count ? row[first + i] : from_float<T>(0);
    *static_cast<Pack<T>*>(to) = pack;
}

/// Queues the copies of a tile; zeros stand for what is outside an image or behind the last channel. The thread waits
/// with cp_async_wait.
template <typename T, typename Window>
__device__ void stage_tile(const Stage<Window>& stage, const Tiles& tiles, const TileStart& start, int slab,
                           const Images<const T>& x, char* shared) {
    const int channel = slab * slab_channels<T> + static_cast<int>(threadIdx.x) % 4 * Pack<T>::width;
    for_each_staged_pack(stage, tiles, start, x, [&](int offset, bool inside, const T* pixel) {
        stage_pack(shared + offset, pixel, inside, channel, x.channels, x.vectors, x.data);
    });
    cp_async_commit();
}

/// Calls body with the kernel's size, 3 or 5, as a constant.
template <typename Body>
void with_kernel_size(int kernel, Body body) {
    if (kernel == 3) return body.template operator()<3>();
    return body.template operator()<5>();
}

inline int divide_up(int a, int b) { return (a + b - 1) / b; }

/// Cuts images of `height` x `width` outputs from tiles.out_top, out_left on into tiles as alike as can be, of at most
/// max_patches patches: those that stage the fewest inputs with their halos, of those that bytes_of(tiles) allows; a
/// single patch where it allows none. Of small images as many go into one tile as there are patches left, and as are
/// allowed.
template <typename Window, typename BytesOfTile>
Tiles cut_tiles(const Tiles& origin, int batch, int height, int width, int max_patches, BytesOfTile bytes_of) {
    const int rows = divide_up(height - origin.out_top, Window::rows);
    const int columns = divide_up(width - origin.out_left, Window::columns);
    Tiles best = origin;
    std::int64_t fewest = INT64_MAX;
    for (int most_rows = 1; most_rows <= max_patches; ++most_rows) {
        Tiles tiles = origin;
        tiles.down = divide_up(rows, most_rows);
        tiles.rows = divide_up(rows, tiles.down);
        for (int most_columns = max_patches / tiles.rows; most_columns > 0; --most_columns) {
            tiles.across = divide_up(columns, most_columns);
            tiles.columns = divide_up(columns, tiles.across);
            if (bytes_of(tiles) > shared_bytes_limit) continue;
            const Stage<Window> stage(tiles);
            const std::int64_t staged = std::int64_t{tiles.down} * tiles.across * stage.rows * stage.columns;
            if (staged < fewest) fewest = staged, best = tiles;
        }
    }
    best.images = std::clamp(max_patches / (best.rows * best.columns), 1, batch);
    while (best.images > 1 && bytes_of(best) > shared_bytes_limit) --best.images;
    best.groups = divide_up(batch, best.images);
    best.images = divide_up(batch, best.groups);
    return best;
}

}  // namespace karyon::kernels::gpu::depthwise
