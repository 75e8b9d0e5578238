#include <vector>

#include "kernels/activation.cuh"
#include "kernels/copy_unit.cuh"
#include "kernels/elementwise/concat.h"
#include "kernels/row_tiles.cuh"

namespace karyon::kernels::gpu {
namespace {

constexpr int most_parts = 8;

/// The parts side by side, in units.
template <typename Unit>
struct Parts {
    Unit* data[most_parts];
    unsigned begin[most_parts], width[most_parts];
    int count;
};

// A thread moves one unit between the joined rows and the part that it belongs to: in the joined rows a warp's units
// are one run of memory, and in each part as well, since the rows of a part follow each other.
template <typename Unit, bool join>
__global__ void __launch_bounds__(RowTiles::threads) concat_kernel(RowTiles tiles, Parts<Unit> parts, Unit* joined) {
    const RowTile tile(tiles);
    if (!tile.inside) return;
    Unit* data = parts.data[0];
    unsigned begin = 0, width = parts.width[0];
#pragma unroll
    for (int part = 1; part < most_parts; ++part) {
        if (part >= parts.count || tile.column < parts.begin[part]) continue;
        data = parts.data[part];
        begin = parts.begin[part];
        width = parts.width[part];
    }
    if (!data) return;
    Unit* at = data + tile.row * width + (tile.column - begin);
    if constexpr (join)
        joined[tile.offset(tiles)] = *at;
    else
        *at = joined[tile.offset(tiles)];
}

struct Part {
    void* data;
    int channels;
};

template <typename T, bool join>
void launch_concat(Stream& stream, std::int64_t rows, std::span<const Part> parts, void* joined) {
    if (parts.size() > most_parts)
        throw Error("concat", "expected at most {} tensors, got {}", most_parts, parts.size());
    std::size_t bits = address_bits(joined), total = 0;
    for (const Part& part : parts) {
        bits |= address_bits(part.data) | static_cast<std::size_t>(part.channels) * sizeof(T);
        total += static_cast<std::size_t>(part.channels) * sizeof(T);
    }
    with_copy_unit(bits, [&]<typename Unit>() {
        Parts<Unit> units{};
        unsigned begin = 0;
        for (const Part& part : parts) {
            const auto width =
                static_cast<unsigned>(static_cast<std::size_t>(part.channels) * sizeof(T) / sizeof(Unit));
            units.data[units.count] = static_cast<Unit*>(part.data);
            units.begin[units.count] = begin;
            units.width[units.count++] = width;
            begin += width;
        }
        const RowTiles tiles(rows, static_cast<std::int64_t>(total / sizeof(Unit)));
        if (tiles.empty()) return;
        launch(join ? "concat_forward" : "concat_backward", stream, tiles.grid(), concat_kernel<Unit, join>, tiles,
               units, static_cast<Unit*>(joined));
    });
}

}  // namespace

void concat_forward(Stream& stream, std::int64_t rows, std::span<const ConcatInput> inputs, Out y) {
    with_float_type("concat", y.dtype(), [&]<typename T>() {
        std::vector<Part> parts;
        for (const ConcatInput& input : inputs) parts.push_back({const_cast<T*>(input.data.as<T>()), input.channels});
        launch_concat<T, true>(stream, rows, parts, y.as<T>());
    });
}

void concat_backward(Stream& stream, std::int64_t rows, In dy, std::span<const ConcatOutput> outputs) {
    with_float_type("concat", dy.dtype(), [&]<typename T>() {
        std::vector<Part> parts;
        for (const ConcatOutput& output : outputs) parts.push_back({output.data.as<T>(), output.channels});
        launch_concat<T, false>(stream, rows, parts, const_cast<T*>(dy.as<T>()));
    });
}

}  // namespace karyon::kernels::gpu
