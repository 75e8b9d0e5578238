#pragma once

#include "kernels/elementwise/drop_connect.h"
#include "kernels/philox.h"

namespace karyon::kernels {

/// The scale of one image.
KARYON_HOST_DEVICE inline float drop_connect_scale(const DropConnect& drop, const std::int32_t* stream_offset,
                                                   int image) {
    std::uint64_t stream = drop.stream;
    if (stream_offset)
        stream += static_cast<std::uint32_t>(stream_offset[0]) |
                  static_cast<std::uint64_t>(static_cast<std::uint32_t>(stream_offset[1])) << 32;
    const std::uint32_t word = random_word(drop.seed, stream, drop.position + static_cast<std::uint64_t>(image));
    return random_unit(word) < drop.probability ? 0.0f : 1.0f / (1.0f - drop.probability);
}

}  // namespace karyon::kernels
