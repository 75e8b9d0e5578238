#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace karyon::kernels {

/// How a kernel with parameters or sums per channel walks over x [rows, channels]: the rows are taken `repeat` at a
/// time, against parameters repeated as often, so that the inner loop is long and contiguous even for 6 or 16 channels.
/// The decomposition follows from the shape alone.
struct ChannelTiles {
    std::int64_t rows;
    int channels;
    std::int64_t repeat;          ///< rows of a tile
    std::int64_t width;           ///< elements of a tile, repeat * channels
    std::int64_t rows_per_block;  ///< rows of a work item, a whole number of tiles

    ChannelTiles(std::int64_t row_count, int channel_count) : rows(row_count), channels(channel_count) {
        constexpr std::int64_t least_width = 256, elements_per_block = 32768, least_tiles = 32;
        repeat = std::clamp<std::int64_t>((least_width + channels - 1) / channels, 1, std::max<std::int64_t>(rows, 1));
        width = repeat * channels;
        rows_per_block = repeat * std::max(least_tiles, elements_per_block / width);
    }

    std::int64_t blocks() const { return (rows + rows_per_block - 1) / rows_per_block; }
    std::int64_t begin(std::int64_t block) const { return block * rows_per_block * channels; }
    std::int64_t rows_of(std::int64_t block) const { return std::min(rows_per_block, rows - block * rows_per_block); }
    std::int64_t elements_of(std::int64_t block) const { return rows_of(block) * channels; }

    /// [width]: value(channel) for every element of a tile.
    template <typename Value>
    std::vector<float> repeated(Value value) const {
        std::vector<float> tile(static_cast<std::size_t>(width));
        for (int channel = 0; channel < channels; ++channel)
            tile[static_cast<std::size_t>(channel)] = static_cast<float>(value(channel));
        for (std::int64_t i = channels; i < width; ++i)
            tile[static_cast<std::size_t>(i)] = tile[static_cast<std::size_t>(i - channels)];
        return tile;
    }
};

}  // namespace karyon::kernels
