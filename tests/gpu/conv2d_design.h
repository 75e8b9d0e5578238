#pragma once

#include <cmath>

#include "kernels/conv/gemm_plan.h"
#include "tests/gpu/conv2d_case.h"

/// What the network cases of dense convolution are held against.
namespace karyon::test {

/// What the kernels of one pass do by design. Without a cache, every tile of C reads its rows of A and its columns of
/// B, of a padded image only what is inside. Tiles are whole: what of them is outside C, and of the last stage behind
/// K, is multiplied as zeros.
struct GemmDesign {
    Conv2dShape shape;
    DType type;
    double prologue_coefficients = 0;  ///< 4 with batch norm
    bool gate = false, statistics = false, in_words = false;

    Design forward() const {
        return rows(shape.out_channels, shape.in_channels, double(reference::y_size(shape)), pixels(shape));
    }
    Design backward_data() const {
        return rows(shape.in_channels, shape.out_channels, double(reference::x_size(shape)),
                    double(shape.batch) * shape.height * shape.width);
    }
    Design backward_weights() const {
        const int columns = int(taps(shape)) * shape.in_channels;
        const auto plan = kernels::gpu::plan_slices(shape.out_channels, columns, int(steps(pixels(shape))),
                                                    size() * pixels(shape) * (shape.in_channels + shape.out_channels),
                                                    type, in_words);
        const double row_tiles = plan.row_tiles(shape.out_channels), column_tiles = plan.column_tiles(columns);
        const double gathered = row_tiles * pairs() * shape.in_channels;
        const double blocks = row_tiles * column_tiles * plan.slices, dw = double(reference::w_size(shape));
        const double partial = plan.slices > 1 ? 2.0 * plan.slices * 4 * dw : 0;
        // Gates of a warp's chunks, which lie in as many rows as fit.
        const double gate_share = type == DType::f32 ? 0.5 : plan.tile_columns / 64.0;
        return {gathered * size() * (gate ? 1 + gate_share : 1) +
                    column_tiles * double(reference::y_size(shape)) * size() + partial + 2 * 4 * dw +
                    blocks * coefficients(),
                partial,
                products(row_tiles * plan.tile_rows, column_tiles * plan.tile_columns, pixels(shape)) +
                    gathered * normalising() + plan.slices * dw};
    }

  private:
    double size() const { return double(size_of(type)); }
    /// Stages of 64 bytes along K.
    double steps(double k) const { return std::ceil(k * size() / 64); }
    /// Flops of m * n * k products, K filled up. Of f32, 3xTF32 makes three, and takes a subtraction for each element
    /// that a tile of 32 x 32 reads.
    double products(double m, double n, double k) const {
        return 2 * m * n * steps(k) * 64 / size() * (type == DType::f32 ? 3 + 1.0 / 32 : 1);
    }
    /// Flops of the prologue for an element: batch norm 3, SiLU 5, gate 1.
    double normalising() const { return prologue_coefficients > 0 ? 8 + gate : 0; }
    /// Pairs of an output pixel and a tap that is inside the image.
    double pairs() const {
        const auto along = [&](int out, int in, int pad) {
            double count = 0;
            for (int p = 0; p < out; ++p)
                for (int r = 0; r < shape.kernel; ++r) {
                    const int at = p * shape.stride - pad + r;
                    count += at >= 0 && at < in;
                }
            return count;
        };
        return shape.batch * along(shape.out_height(), shape.height, shape.pad.top) *
               along(shape.out_width(), shape.width, shape.pad.left);
    }
    double coefficients() const { return prologue_coefficients * 4 * shape.in_channels; }
    Design rows(int columns, int gathered_channels, double results, double row_count) const {
        const auto plan = kernels::gpu::plan_rows(int(row_count), columns, type, in_words);
        const double row_tiles = plan.row_tiles(int(row_count)), column_tiles = plan.column_tiles(columns);
        const double block_rows = plan.block_rows(int(row_count));
        const double gate_share = type == DType::f32 ? 0.125 : 0.5;  // 8 pixels of a warp share them
        const double gathered = column_tiles * pairs() * gathered_channels;
        const double m = row_tiles * plan.tile_rows, n = column_tiles * plan.tile_columns;
        const double moments = statistics ? 2 * 8 * block_rows * columns : 0;
        return {
            gathered * size() * (gate ? 1 + gate_share : 1) + row_tiles * double(reference::w_size(shape)) * size() +
                results * size() + block_rows * column_tiles * coefficients() + moments,
            moments,
            products(m, n, taps(shape) * gathered_channels) + gathered * normalising() + (statistics ? 5 * m * n : 0)};
    }
};

/// Compulsory bytes of the weight gradient, which is f32 and added to.
inline kernels::Cost weights_cost(const Conv2dShape& s, DType type, bool with_bias = false) {
    const double size = double(size_of(type));
    kernels::Cost cost = kernels::cost(s, type);
    cost.bytes += (8 - size) * double(reference::w_size(s)) + (with_bias ? 8.0 * s.out_channels : 0);
    return cost;
}

}  // namespace karyon::test
