#pragma once

#include <cstddef>

#include "kernels/reduce.cuh"
#include "kernels/types.h"

namespace karyon::kernels::gpu {

/// Batch statistics as a kernel takes them while it writes: one row for each of its tiles, in device scratch memory.
/// The kernel's launcher merges the rows right after it.
struct PartialMoments {
    int tiles = 0, channels = 0;
    float* counts = nullptr;  ///< [tiles]: values that every channel of the tile has
    float* means = nullptr;   ///< [tiles, channels]
    float* m2s = nullptr;     ///< [tiles, channels]: sums of squared distances from the tile's mean

    static std::size_t bytes(int tiles, int channels) {
        return sizeof(float) * static_cast<std::size_t>(tiles) * (1 + 2 * static_cast<std::size_t>(channels));
    }
    /// Lays the three arrays out in `memory` of bytes(tiles, channels).
    PartialMoments(void* memory, int tiles_, int channels_) : tiles(tiles_), channels(channels_) {
        means = static_cast<float*>(memory);
        m2s = means + static_cast<std::ptrdiff_t>(tiles) * channels;
        counts = m2s + static_cast<std::ptrdiff_t>(tiles) * channels;
    }
};

/// mean, variance [channels]: the tiles merged in a fixed order; the variance is the biased one.
void merge_moments(Stream&, const PartialMoments&, float* mean, float* variance);

}  // namespace karyon::kernels::gpu
