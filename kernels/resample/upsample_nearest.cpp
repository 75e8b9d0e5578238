#include "kernels/resample/upsample_nearest.h"

#include <cstring>

#include "kernels/blocks.h"
#include "kernels/float_type.h"
#include "kernels/simd.h"

namespace karyon::kernels {

Cost cost(const UpsampleShape& shape, DType type) {
    const double elements = static_cast<double>(shape.batch) * shape.height * shape.width * shape.channels;
    return {5 * elements * static_cast<double>(size_of(type)), 0};
}

namespace cpu {
namespace {

template <typename T>
KARYON_SIMD void double_row(int width, int channels, const T* x, T* y) {
    for (int j = 0; j < width; ++j) {
        const T* from = x + std::int64_t{j} * channels;
        T* to = y + std::int64_t{2} * j * channels;
#pragma GCC ivdep
        for (int c = 0; c < channels; ++c) {
            to[c] = from[c];
            to[c + channels] = from[c];
        }
    }
}

template <typename T>
KARYON_SIMD void sum_row_pair(int width, int channels, const T* upper, const T* lower, T* dx) {
    for (int j = 0; j < width; ++j) {
        const T *a = upper + std::int64_t{2} * j * channels, *b = lower + std::int64_t{2} * j * channels;
        T* to = dx + std::int64_t{j} * channels;
#pragma GCC ivdep
        for (int c = 0; c < channels; ++c)
            to[c] = T((float(a[c]) + float(a[c + channels])) + (float(b[c]) + float(b[c + channels])));
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
    const std::int64_t in_row = std::int64_t{shape.width} * shape.channels, out_row = 2 * in_row;
    with_float_type("upsample_nearest", x.dtype(), [=]<typename T>() {
        const T* from = x.as<T>();
        T* to = y.as<T>();
        for_each_row(shape, [=](std::int64_t row) {
            T* first = to + 2 * row * out_row;
            double_row(shape.width, shape.channels, from + row * in_row, first);
            std::memcpy(first + out_row, first, static_cast<std::size_t>(out_row) * sizeof(T));
        });
    });
}

void upsample_nearest_backward(Stream&, const UpsampleShape& shape, In dy, Out dx) {
    const std::int64_t in_row = std::int64_t{shape.width} * shape.channels, out_row = 2 * in_row;
    with_float_type("upsample_nearest", dy.dtype(), [=]<typename T>() {
        const T* from = dy.as<T>();
        T* to = dx.as<T>();
        for_each_row(shape, [=](std::int64_t row) {
            const T* upper = from + 2 * row * out_row;
            sum_row_pair(shape.width, shape.channels, upper, upper + out_row, to + row * in_row);
        });
    });
}

}  // namespace cpu
}  // namespace karyon::kernels
