#pragma once

#include "kernels/image/channel_scale.h"
#include "kernels/types.h"

namespace karyon::kernels {

/// What stands outside the image: black (level 0, before scaling), or the image mirrored at its outermost pixels.
enum class PatchBorder : std::uint8_t { zero, reflect };

/// Square patches of one image, in one launch.
struct PatchShape {
    int height = 1, width = 1;  ///< of the image
    int patches = 1, size = 1;  ///< how many, and the side of each
    PatchBorder border = PatchBorder::zero;
};

/// Of patches inside the image that do not overlap.
Cost cost(const PatchShape&, DType out);

namespace gpu {

/// image u8 [height, width, 3], corners i32 [patches, 2] = (x, y) of each patch's first pixel, anywhere,
/// aligned to 8 bytes ->
/// out f32 or bf16 [patches, size, size, 3] = level * gain + shift. All arrays on the device.
/// Throws Error for an image without pixels.
void cut_patches(Stream&, const PatchShape&, const ChannelScale&, In image, In corners, Out out);

}  // namespace gpu
}  // namespace karyon::kernels
