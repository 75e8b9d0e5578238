#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/blocks.h"
#include "kernels/resample/upsample_nearest.h"
#include "kernels/simd.h"

/// What upsampling and its join with a skip share: rows of pixels, each a run of channels among others.
namespace karyon::kernels::cpu {

/// memcpy of a pixel's channels without the call, which costs as much as they do.
KARYON_INLINE void copy_run(void* to, const void* from, std::size_t bytes) {
    constexpr std::size_t unit = 64;
    char* const target = static_cast<char*>(to);
    const char* const source = static_cast<const char*>(from);
    if (bytes < unit) {
        std::memcpy(target, source, bytes);
        return;
    }
    for (std::size_t at = 0; at + unit <= bytes; at += unit) std::memcpy(target + at, source + at, unit);
    std::memcpy(target + bytes - unit, source + bytes - unit, unit);
}

/// dx[j, c] = the sum of dy [2 rows][2 width, stride] over pixels 2 j and 2 j + 1 of both rows.
template <typename T>
KARYON_INLINE void sum_row_pair(int width, int channels, std::int64_t stride, const T* upper, const T* lower, T* dx) {
    for (int j = 0; j < width; ++j) {
        const T *a = upper + 2 * j * stride, *b = lower + 2 * j * stride;
        T* to = dx + std::int64_t{j} * channels;
#pragma GCC ivdep
        for (int c = 0; c < channels; ++c)
            to[c] = T((float(a[c]) + float(a[c + stride])) + (float(b[c]) + float(b[c + stride])));
    }
}

/// Calls body(row of x, counted over all images) over groups of rows that are worth a work item.
template <typename Body>
void for_each_row(const UpsampleShape& shape, std::int64_t elements_of_row, Body body) {
    const std::int64_t rows = std::int64_t{shape.batch} * shape.height;
    for_each_block(rows, std::max<std::int64_t>(1, block_elements / std::max<std::int64_t>(1, elements_of_row)),
                   [=](std::int64_t, std::int64_t begin, std::int64_t size) {
                       for (std::int64_t row = begin; row < begin + size; ++row) body(row);
                   });
}

}  // namespace karyon::kernels::cpu
