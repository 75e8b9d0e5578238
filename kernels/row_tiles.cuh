#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/launch.cuh"

namespace karyon::kernels::gpu {

/// How kernels that move units (packs or elements) of rows walk over [rows, units]: one unit a thread, neighbouring
/// threads on neighbouring units. A block takes several short rows, always as many as keep the next block's first unit
/// on a whole sector, or a piece of a long one, so that a 32-bit division finds the row.
struct RowTiles {
    static constexpr unsigned threads = 256;

    std::int64_t rows;
    unsigned units;           ///< of a row
    unsigned rows_per_block;  ///< 1 where a row is cut into pieces
    unsigned pieces;          ///< of a row

    RowTiles(std::int64_t row_count, std::int64_t units_of_row)
        : rows(row_count), units(static_cast<unsigned>(units_of_row)) {
        const unsigned fit = threads / std::max(units, 1u);
        rows_per_block = fit >= 16 ? fit / 16 * 16 : std::max(fit, 1u);
        pieces = (units + threads - 1) / threads;
    }

    bool empty() const { return rows == 0 || units == 0; }
    Grid grid() const {
        const std::int64_t groups = (rows + rows_per_block - 1) / rows_per_block;
        return {static_cast<unsigned>(groups * pieces), threads};
    }
};

/// The unit of this thread; `inside` is false for a thread that has none.
struct RowTile {
    std::int64_t row;
    unsigned column;
    bool inside;

    __device__ explicit RowTile(const RowTiles& tiles) {
        const unsigned local = blockIdx.x % tiles.pieces * RowTiles::threads + threadIdx.x;
        row = std::int64_t{blockIdx.x / tiles.pieces} * tiles.rows_per_block + local / tiles.units;
        column = local % tiles.units;
        inside = local < tiles.rows_per_block * tiles.units && row < tiles.rows;
    }
    /// Where the unit lies in [rows, units].
    __device__ std::int64_t offset(const RowTiles& tiles) const { return row * tiles.units + column; }
};

}  // namespace karyon::kernels::gpu
