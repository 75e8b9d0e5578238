#pragma once

#include <algorithm>
#include <cstdint>

namespace karyon::kernels {

/// Elements of one work item of an elementwise loop: 64 KiB of f32, so that a thread's buffers stay in its L2 cache.
inline constexpr std::int64_t block_elements = 16384;

inline std::int64_t block_count(std::int64_t count, std::int64_t block) { return (count + block - 1) / block; }

/// Calls body(index) for 0 .. count - 1, spread over the threads. The work items are given by the caller and never by
/// the number of threads, so that a reduction which keeps one partial result per item and merges them in order gives
/// the same bits on any machine size. body must not throw.
template <typename Body>
void for_each_item(std::int64_t count, Body body) {
#pragma omp parallel for schedule(dynamic) if (count > 1)
    for (std::int64_t index = 0; index < count; ++index) body(index);
}

/// Calls body(index, begin, size) for each block of `block` elements of 0 .. count - 1; the last one may be shorter.
template <typename Body>
void for_each_block(std::int64_t count, std::int64_t block, Body body) {
    for_each_item(block_count(count, block), [&](std::int64_t index) {
        const std::int64_t begin = index * block;
        body(index, begin, std::min(block, count - begin));
    });
}

}  // namespace karyon::kernels
