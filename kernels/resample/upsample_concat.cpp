#include "kernels/resample/upsample_concat.h"

#include "kernels/float_type.h"
#include "kernels/resample/pixel_rows.h"

namespace karyon::kernels {

Cost cost(const UpsampleConcatShape& shape, DType type) {
    const double pixels = 4.0 * shape.low.batch * shape.low.height * shape.low.width;
    return {pixels * (1.25 * shape.low.channels + 2.0 * shape.skip_channels) * double(size_of(type)), 0};
}

namespace cpu {
namespace {

/// One row of y: pixels of `low` twice each, those of `skip` beside them.
KARYON_SIMD void join_row(int width, std::size_t low_bytes, std::size_t skip_bytes, const char* low, const char* skip,
                          char* y) {
    const std::size_t bytes = low_bytes + skip_bytes;
    for (int j = 0; j < width; ++j, low += low_bytes)
        for (int twice = 0; twice < 2; ++twice, skip += skip_bytes, y += bytes) {
            copy_run(y, low, low_bytes);
            copy_run(y + low_bytes, skip, skip_bytes);
        }
}

KARYON_SIMD void copy_columns(int pixels, std::size_t bytes, std::size_t stride, const char* from, char* to) {
    for (int j = 0; j < pixels; ++j, from += stride, to += bytes) copy_run(to, from, bytes);
}

template <typename T>
KARYON_SIMD void sum_rows(int width, int channels, std::int64_t stride, const T* upper, T* dx) {
    sum_row_pair(width, channels, stride, upper, upper + 2 * width * stride, dx);
}

}  // namespace

void upsample_concat_forward(Stream&, const UpsampleConcatShape& shape, In low, In skip, Out y) {
    const UpsampleShape& s = shape.low;
    with_float_type("upsample_concat", y.dtype(), [=]<typename T>() {
        const std::size_t low_bytes = sizeof(T) * static_cast<std::size_t>(s.channels),
                          skip_bytes = sizeof(T) * static_cast<std::size_t>(shape.skip_channels);
        const auto row_bytes = [=](std::size_t pixel) { return static_cast<std::int64_t>(pixel) * s.width; };
        const char* of_low = reinterpret_cast<const char*>(low.as<T>());
        const char* of_skip = reinterpret_cast<const char*>(skip.as<T>());
        char* to = reinterpret_cast<char*>(y.as<T>());
        for_each_row(s, std::int64_t{4} * s.width * (s.channels + shape.skip_channels), [=](std::int64_t row) {
            for (std::int64_t out = 2 * row; out < 2 * row + 2; ++out)
                join_row(s.width, low_bytes, skip_bytes, of_low + row * row_bytes(low_bytes),
                         of_skip + 2 * out * row_bytes(skip_bytes), to + 2 * out * row_bytes(low_bytes + skip_bytes));
        });
    });
}

void upsample_concat_backward(Stream&, const UpsampleConcatShape& shape, In dy, Out dlow, Out dskip) {
    const UpsampleShape& s = shape.low;
    const std::int64_t stride = s.channels + shape.skip_channels;
    with_float_type("upsample_concat", dy.dtype(), [=]<typename T>() {
        const T* from = dy.as<T>();
        T* of_low = dlow.as<T>();
        T* of_skip = dskip.as<T>();
        for_each_row(s, 4 * s.width * stride, [=](std::int64_t row) {
            const T* upper = from + 4 * row * s.width * stride;
            if (of_low) sum_rows(s.width, s.channels, stride, upper, of_low + row * s.width * s.channels);
            if (of_skip)
                copy_columns(4 * s.width, sizeof(T) * static_cast<std::size_t>(shape.skip_channels),
                             sizeof(T) * static_cast<std::size_t>(stride),
                             reinterpret_cast<const char*>(upper + s.channels),
                             reinterpret_cast<char*>(of_skip + 4 * row * s.width * shape.skip_channels));
        });
    });
}

}  // namespace cpu
}  // namespace karyon::kernels
