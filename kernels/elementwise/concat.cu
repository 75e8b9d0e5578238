#include <vector>

#include "kernels/activation.cuh"
#include "kernels/copy_unit.cuh"
#include "kernels/elementwise/concat.h"
#include "kernels/row_tiles.cuh"

namespace karyon::kernels::gpu {
namespace {

constexpr int most_parts = 8;

/// One part, in units: columns begin .. begin + width - 1 of the joined rows.
template <typename Unit>
struct Part {
    Unit* data;
    unsigned begin, width;
};

template <typename Unit>
struct Parts {
    Part<Unit> at[most_parts];
    int count;

    __device__ Part<Unit> of_column(unsigned column) const {
        Part<Unit> found = at[0];
#pragma unroll
        for (int part = 1; part < most_parts; ++part)
            if (part < count && column >= at[part].begin) found = at[part];
        return found;
    }
};

// For parts of whole 16 bytes. A thread moves one unit between the joined rows and the part that it belongs to: in the
// joined rows a warp's units are one run of memory, and in each part as well, since the rows of a part follow each
// other.
template <typename Unit, bool join>
__global__ void __launch_bounds__(RowTiles::threads) concat_kernel(RowTiles tiles, Parts<Unit> parts, Unit* joined) {
    const RowTile tile(tiles);
    if (!tile.inside) return;
    const Part<Unit> part = parts.of_column(tile.column);
    if (!part.data) return;
    Unit* at = part.data + tile.row * part.width + (tile.column - part.begin);
    if constexpr (join)
        joined[tile.offset(tiles)] = *at;
    else
        *at = joined[tile.offset(tiles)];
}

constexpr int staged_threads = 256;
constexpr unsigned staged_bytes = 16384;

// For small units, where a warp's share of a row would begin and end inside sectors: a block takes `rows_per_block`
// rows through shared memory, so that each part, and the joined rows, are one run of memory that begins on a whole
// sector. Shared memory holds the parts one after the other: a warp meets it in one run of words for each part.
template <typename Unit, bool join>
__global__ void __launch_bounds__(staged_threads)
    concat_staged_kernel(std::int64_t rows, unsigned rows_per_block, unsigned units, Parts<Unit> parts, Unit* joined) {
    __shared__ Unit staged[staged_bytes / sizeof(Unit)];
    const std::int64_t first = std::int64_t{blockIdx.x} * rows_per_block;
    const auto here = static_cast<unsigned>(min(std::int64_t{rows_per_block}, rows - first));
    const auto move_parts = [&] {
#pragma unroll
        for (int i = 0; i < most_parts; ++i) {
            if (i >= parts.count || !parts.at[i].data) continue;
            const Part<Unit> part = parts.at[i];
            Unit *data = part.data + first * part.width, *at = staged + rows_per_block * part.begin;
            for (unsigned k = threadIdx.x; k < here * part.width; k += staged_threads)
                if constexpr (join)
                    at[k] = data[k];
                else
                    data[k] = at[k];
        }
    };
    const auto move_joined = [&] {
        Unit* run = joined + first * units;
        for (unsigned k = threadIdx.x; k < here * units; k += staged_threads) {
            const unsigned row = k / units, column = k % units;
            const Part<Unit> part = parts.of_column(column);
            Unit& at = staged[rows_per_block * part.begin + row * part.width + (column - part.begin)];
            if constexpr (join)
                run[k] = at;
            else
                at = run[k];
        }
    };
    if constexpr (join) move_parts();
    if constexpr (!join) move_joined();
    __syncthreads();
    if constexpr (join) move_joined();
    if constexpr (!join) move_parts();
}

/// Rows of a block of the staged kernel, so many that the next one begins on a whole sector; 0: a row is too long.
template <typename Unit>
unsigned staged_rows(std::int64_t units) {
    const auto fit = static_cast<std::int64_t>(staged_bytes / sizeof(Unit)) / units;
    return static_cast<unsigned>(fit / 16 * 16);
}

struct Tensor {
    void* data;
    int channels;
};

template <typename T, bool join>
void launch_concat(Stream& stream, std::int64_t rows, std::span<const Tensor> tensors, void* joined) {
    if (tensors.size() > most_parts)
        throw Error("concat", "expected at most {} tensors, got {}", most_parts, tensors.size());
    std::size_t bits = address_bits(joined), total = 0;
    for (const Tensor& tensor : tensors) {
        bits |= address_bits(tensor.data) | static_cast<std::size_t>(tensor.channels) * sizeof(T);
        total += static_cast<std::size_t>(tensor.channels) * sizeof(T);
    }
    with_copy_unit(bits, [&]<typename Unit>() {
        Parts<Unit> parts{};
        unsigned begin = 0;
        for (const Tensor& tensor : tensors) {
            const std::size_t bytes = static_cast<std::size_t>(tensor.channels) * sizeof(T);
            const auto width = static_cast<unsigned>(bytes / sizeof(Unit));
            parts.at[parts.count++] = {static_cast<Unit*>(tensor.data), begin, width};
            begin += width;
        }
        const char* name = join ? "concat_forward" : "concat_backward";
        const RowTiles tiles(rows, static_cast<std::int64_t>(total / sizeof(Unit)));
        if (tiles.empty()) return;
        if constexpr (sizeof(Unit) < 16) {
            if (const unsigned rows_per_block = staged_rows<Unit>(tiles.units)) {
                const auto blocks = static_cast<unsigned>((rows + rows_per_block - 1) / rows_per_block);
                return launch(name, stream, {blocks, staged_threads}, concat_staged_kernel<Unit, join>, rows,
                              rows_per_block, tiles.units, parts, static_cast<Unit*>(joined));
            }
        }
        launch(name, stream, tiles.grid(), concat_kernel<Unit, join>, tiles, parts, static_cast<Unit*>(joined));
    });
}

}  // namespace

void concat_forward(Stream& stream, std::int64_t rows, std::span<const ConcatInput> inputs, Out y) {
    with_float_type("concat", y.dtype(), [&]<typename T>() {
        std::vector<Tensor> tensors;
        for (const ConcatInput& input : inputs) tensors.push_back({const_cast<T*>(input.data.as<T>()), input.channels});
        launch_concat<T, true>(stream, rows, tensors, y.as<T>());
    });
}

void concat_backward(Stream& stream, std::int64_t rows, In dy, std::span<const ConcatOutput> outputs) {
    with_float_type("concat", dy.dtype(), [&]<typename T>() {
        std::vector<Tensor> tensors;
        for (const ConcatOutput& output : outputs) tensors.push_back({output.data.as<T>(), output.channels});
        launch_concat<T, false>(stream, rows, tensors, const_cast<T*>(dy.as<T>()));
    });
}

}  // namespace karyon::kernels::gpu
