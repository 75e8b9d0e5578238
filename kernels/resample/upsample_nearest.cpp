#include "kernels/resample/upsample_nearest.h"

#include "kernels/float_type.h"
#include "kernels/resample/pixel_rows.h"

namespace karyon::kernels {

Cost cost(const UpsampleShape& shape, DType type) {
    const double elements = static_cast<double>(shape.batch) * shape.height * shape.width * shape.channels;
    return {5 * elements * static_cast<double>(size_of(type)), 0};
}

namespace cpu {
namespace {

KARYON_SIMD void double_row(int width, std::size_t pixel_bytes, const char* x, char* y) {
    for (int j = 0; j < width; ++j, x += pixel_bytes, y += 2 * pixel_bytes) {
        copy_run(y, x, pixel_bytes);
        copy_run(y + pixel_bytes, x, pixel_bytes);
    }
}

template <typename T>
KARYON_SIMD void sum_rows(int width, int channels, const T* upper, T* dx) {
    sum_row_pair(width, channels, channels, upper, upper + std::int64_t{2} * width * channels, dx);
}

}  // namespace

void upsample_nearest_forward(Stream&, const UpsampleShape& shape, In x, Out y) {
    with_float_type("upsample_nearest", x.dtype(), [=]<typename T>() {
        const std::size_t pixel_bytes = sizeof(T) * static_cast<std::size_t>(shape.channels);
        const std::int64_t row_bytes = static_cast<std::int64_t>(pixel_bytes) * shape.width;
        const char* from = reinterpret_cast<const char*>(x.as<T>());
        char* to = reinterpret_cast<char*>(y.as<T>());
        for_each_row(shape, std::int64_t{shape.width} * shape.channels, [=](std::int64_t row) {
            char* first = to + 4 * row * row_bytes;
            double_row(shape.width, pixel_bytes, from + row * row_bytes, first);
            std::memcpy(first + 2 * row_bytes, first, static_cast<std::size_t>(2 * row_bytes));
        });
    });
}

void upsample_nearest_backward(Stream&, const UpsampleShape& shape, In dy, Out dx) {
    const std::int64_t row_elements = std::int64_t{shape.width} * shape.channels;
    with_float_type("upsample_nearest", dy.dtype(), [=]<typename T>() {
        const T* from = dy.as<T>();
        T* to = dx.as<T>();
        for_each_row(shape, row_elements, [=](std::int64_t row) {
            sum_rows(shape.width, shape.channels, from + 4 * row * row_elements, to + row * row_elements);
        });
    });
}

}  // namespace cpu
}  // namespace karyon::kernels
