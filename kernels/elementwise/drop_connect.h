#pragma once

#include "kernels/types.h"

namespace karyon::kernels {

/// Stochastic depth (Huang 2016): every image of a batch skips its block with `probability`, the others are scaled up
/// so that the mean stays. Image n draws word position + n of the random sequence (seed, stream), see tensor/random.h.
struct DropConnect {
    std::uint64_t seed = 0, stream = 0, position = 0;
    int batch = 1;
    float probability = 0;
};

namespace cpu {

/// scale f32 [batch]: 0 or 1 / (1 - probability), for scale_images. `stream_offset` i32 [2], or null: the low and the
/// high half of a number that is added to the stream, so that a captured graph draws new numbers at each launch.
void drop_connect_scales(Stream&, const DropConnect&, In stream_offset, Out scale);

}  // namespace cpu

namespace gpu {

/// As cpu::drop_connect_scales, the same bits.
void drop_connect_scales(Stream&, const DropConnect&, In stream_offset, Out scale);

}  // namespace gpu
}  // namespace karyon::kernels
