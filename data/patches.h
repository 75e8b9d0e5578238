#pragma once

#include <cstddef>
#include <cstdint>

#include "data/image.h"

namespace karyon {

/// From 8-bit levels to what the network sees: (level / 255 - mean) / std. ImageNet's values unless told otherwise.
struct InputScaling {
    float mean[3] = {0.485f, 0.456f, 0.406f};
    float std[3] = {0.229f, 0.224f, 0.225f};
    bool operator==(const InputScaling&) const = default;
};

/// The two views of a place: the local patch, and the global one around it.
struct PatchGeometry {
    int local = 256;  ///< pixels on a side
    int margin = 64;  ///< how far the global view extends beyond the local one, on every side
    bool want_local = true, want_global = true;

    int global() const { return local + 2 * margin; }
    /// The view that has to be read: the global one where it is wanted.
    int window() const { return want_global ? global() : local; }
    int window_margin() const { return want_global ? margin : 0; }
    bool operator==(const PatchGeometry&) const = default;
};

/// Throws Error for a side below 1 or a margin below 0.
void check(const PatchGeometry&);

/// What stands outside the image: black (level 0, before scaling), or the image mirrored at its outermost pixels.
enum class Border { zero, reflect };

/// out[size, size, 3] = the scaled pixels of columns x..x+size-1 and rows y..y+size-1. Any x and y are fine.
/// Throws Error for an image without pixels.
void cut_patch(const Image&, int x, int y, int size, Border, const InputScaling&, float* out);

/// The local view at (x, y), mirrored outside the image. out[local, local, 3]
void cut_local(const Image&, int x, int y, const PatchGeometry&, const InputScaling&, float* out);

/// The global view around the local one at (x, y), black outside the image. out[global, global, 3]
void cut_global(const Image&, int x, int y, const PatchGeometry&, const InputScaling&, float* out);

/// out[size, size], 0 outside the mask.
void cut_mask(const Mask&, int x, int y, int size, std::uint8_t* out);

/// out[pixels, 3] = (levels / 255 - mean) / std; the float form takes levels that are not whole numbers.
void scale_levels(const std::uint8_t* levels, std::size_t pixels, const InputScaling&, float* out);
void scale_levels(const float* levels, std::size_t pixels, const InputScaling&, float* out);

}  // namespace karyon
