#include "kernels/resample/pad_crop.h"

#include <cstring>

#include "kernels/blocks.h"

namespace karyon::kernels {

Cost cost(const PadShape& shape, DType type) {
    const double rows = std::clamp(shape.out_height(), 0, shape.height);
    const double columns = std::clamp(shape.out_width(), 0, shape.width);
    const double out = static_cast<double>(shape.out_height()) * shape.out_width();
    return {(rows * columns + out) * shape.batch * shape.channels * static_cast<double>(size_of(type)), 0};
}

void PadShape::check() const {
    if (out_height() < 0 || out_width() < 0)
        throw Error("pad_crop", "expected to take off at most {} x {} pixels, got a result of {} x {}", height, width,
                    out_height(), out_width());
}

namespace cpu {
namespace {

/// A row of y: `left` zeros, `copied` elements of x, zeros up to `total`.
void write_row(float* to, const float* from, std::int64_t left, std::int64_t copied, std::int64_t total) {
    std::fill_n(to, left, 0.0f);
    if (copied > 0) std::memcpy(to + left, from, static_cast<std::size_t>(copied) * sizeof(float));
    std::fill_n(to + left + copied, total - left - copied, 0.0f);
}

}  // namespace

void pad_crop(Stream&, const PadShape& shape, In x, Out y) {
    shape.check();
    const int height = shape.out_height(), width = shape.out_width();
    const float* from = x.as<float>();
    float* to = y.as<float>();
    // Columns of y before the first and up to the last that x covers.
    const int first = std::clamp(shape.pad.left, 0, width),
              last = std::clamp(shape.pad.left + shape.width, first, width);
    const std::int64_t row_elements = std::int64_t{width} * shape.channels;
    const std::int64_t rows = std::int64_t{shape.batch} * height;
    for_each_block(rows, std::max<std::int64_t>(1, block_elements / std::max<std::int64_t>(1, row_elements)),
                   [=](std::int64_t, std::int64_t begin, std::int64_t size) {
                       for (std::int64_t row = begin; row < begin + size; ++row) {
                           const std::int64_t image = row / height, i = row % height - shape.pad.top;
                           const bool inside = i >= 0 && i < shape.height && last > first;
                           const std::int64_t pixel =
                               inside ? (image * shape.height + i) * shape.width + first - shape.pad.left : 0;
                           write_row(to + row * row_elements, from + pixel * shape.channels,
                                     std::int64_t{first} * shape.channels,
                                     inside ? std::int64_t{last - first} * shape.channels : 0, row_elements);
                       }
                   });
}

}  // namespace cpu
}  // namespace karyon::kernels
