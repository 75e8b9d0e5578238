#include "kernels/resample/upsample_nearest.h"

#include <cstring>

#include "kernels/blocks.h"
#include "kernels/simd.h"

namespace karyon::kernels {

Cost cost(const UpsampleShape& shape, DType type) {
    const double elements = static_cast<double>(shape.batch) * shape.height * shape.width * shape.channels;
    return {5 * elements * static_cast<double>(size_of(type)), 0};
}

namespace cpu {
namespace {

KARYON_SIMD void double_row(int width, int channels, const float* x, float* y) {
    for (int j = 0; j < width; ++j) {
        const float* from = x + std::int64_t{j} * channels;
        float* to = y + std::int64_t{2} * j * channels;
#pragma GCC ivdep
        for (int c = 0; c < channels; ++c) {
            to[c] = from[c];
            to[c + channels] = from[c];
        }
    }
}

KARYON_SIMD void sum_row_pair(int width, int channels, const float* upper, const float* lower, float* dx) {
    for (int j = 0; j < width; ++j) {
        const float *a = upper + std::int64_t{2} * j * channels, *b = lower + std::int64_t{2} * j * channels;
        float* to = dx + std::int64_t{j} * channels;
#pragma GCC ivdep
        for (int c = 0; c < channels; ++c) to[c] = (a[c] + a[c + channels]) + (b[c] + b[c + channels]);
    }
}

/// Calls body(row of x, counted over all images) over groups of rows that are worth a work item.
template <typename Body>
void for_each_row(const UpsampleShape& shape, Body body) {
    const std::int64_t rows = std::int64_t{shape.batch} * shape.height;
    const std::int64_t elements = std::max<std::int64_t>(1, std::int64_t{shape.width} * shape.channels);
    for_each_block(rows, std::max<std::int64_t>(1, block_elements / elements),
                   [=](std::int64_t, std::int64_t begin, std::int64_t size) {
                       for (std::int64_t row = begin; row < begin + size; ++row) body(row);
                   });
}

}  // namespace

void upsample_nearest_forward(Stream&, const UpsampleShape& shape, In x, Out y) {
    const float* from = x.as<float>();
    float* to = y.as<float>();
    const std::int64_t in_row = std::int64_t{shape.width} * shape.channels, out_row = 2 * in_row;
    for_each_row(shape, [=](std::int64_t row) {
        float* first = to + 2 * row * out_row;
        double_row(shape.width, shape.channels, from + row * in_row, first);
        std::memcpy(first + out_row, first, static_cast<std::size_t>(out_row) * sizeof(float));
    });
}

void upsample_nearest_backward(Stream&, const UpsampleShape& shape, In dy, Out dx) {
    const float* from = dy.as<float>();
    float* to = dx.as<float>();
    const std::int64_t in_row = std::int64_t{shape.width} * shape.channels, out_row = 2 * in_row;
    for_each_row(shape, [=](std::int64_t row) {
        const float* upper = from + 2 * row * out_row;
        sum_row_pair(shape.width, shape.channels, upper, upper + out_row, to + row * in_row);
    });
}

}  // namespace cpu
}  // namespace karyon::kernels
