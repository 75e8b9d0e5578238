#pragma once

#include <cstdint>
#include <vector>

#include "data/augment.h"

namespace karyon {

/// From the pixels of a window to the places of the image that they show: flips, turns, zoom and smooth displacement.
class Warp {
  public:
    /// The window of `size` pixels a side whose upper left corner is at (x, y) before the warp.
    Warp(const Augmentation&, int x, int y, int size);

    /// levels[size, size, 3]: the image, bilinear, 0 outside. inside[size, size]: 1 where the nearest pixel is on the
    /// image.
    void sample(const Image&, float* levels, std::uint8_t* inside) const;

    /// out[count, count]: the mask, nearest, 0 outside, of the window's pixels from (first, first) on.
    void sample(const Mask&, int first, int count, std::uint8_t* out) const;

  private:
    /// Places of pixels first..first+count-1 of a window row, relative to the window's corner.
    void places(int row, int first, int count, float* x, float* y) const;

    int x_, y_, size_;
    float matrix_[2][2];
    std::vector<float> shift_x_, shift_y_;  ///< [size, size], empty without displacement
};

}  // namespace karyon
