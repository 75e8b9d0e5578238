#include "kernels/elementwise/concat.h"

#include <cstring>

#include "kernels/blocks.h"
#include "kernels/float_type.h"

namespace karyon::kernels {

Cost concat_cost(std::int64_t count, DType type) {
    return {2 * static_cast<double>(count) * static_cast<double>(size_of(type)), 0};
}

namespace cpu {
namespace {

/// Copies `width` of every `stride` elements.
template <typename T>
void copy_columns(std::int64_t rows, int width, const T* from, int from_stride, T* to, int to_stride) {
    for (std::int64_t row = 0; row < rows; ++row)
        std::memcpy(to + row * to_stride, from + row * from_stride, static_cast<std::size_t>(width) * sizeof(T));
}

std::int64_t rows_of_block(int channels) { return std::max<std::int64_t>(1, block_elements / std::max(channels, 1)); }

template <typename Parts>
int sum_of_channels(const Parts& parts) {
    int sum = 0;
    for (const auto& part : parts) sum += part.channels;
    return sum;
}

}  // namespace

void concat_forward(Stream&, std::int64_t rows, std::span<const ConcatInput> inputs, Out y) {
    const int channels = sum_of_channels(inputs);
    with_float_type("concat", y.dtype(), [=]<typename T>() {
        T* to = y.as<T>();
        for (const ConcatInput& input : inputs) input.data.as<T>();  // a wrong type must throw before the threads start
        for_each_block(rows, rows_of_block(channels), [=](std::int64_t, std::int64_t begin, std::int64_t size) {
            T* column = to + begin * channels;
            for (const ConcatInput& input : inputs) {
                const T* from = input.data.as<T>() + begin * input.channels;
                copy_columns(size, input.channels, from, input.channels, column, channels);
                column += input.channels;
            }
        });
    });
}

void concat_backward(Stream&, std::int64_t rows, In dy, std::span<const ConcatOutput> parts) {
    const int channels = sum_of_channels(parts);
    with_float_type("concat", dy.dtype(), [=]<typename T>() {
        const T* from = dy.as<T>();
        for (const ConcatOutput& part : parts) part.data.as<T>();
        for_each_block(rows, rows_of_block(channels), [=](std::int64_t, std::int64_t begin, std::int64_t size) {
            const T* column = from + begin * channels;
            for (const ConcatOutput& part : parts) {
                if (part.data)
                    copy_columns(size, part.channels, column, channels, part.data.as<T>() + begin * part.channels,
                                 part.channels);
                column += part.channels;
            }
        });
    });
}

}  // namespace cpu
}  // namespace karyon::kernels
