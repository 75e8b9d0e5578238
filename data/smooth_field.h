#pragma once

#include <vector>

#include "tensor/random.h"

namespace karyon {

/// A smooth random field: independent normal numbers on a square lattice, interpolated by uniform cubic B-splines
/// (twice differentiable, no visible lattice). Mean 0, deviation about `deviation`, correlated over about `spacing`
/// pixels.
class SmoothField {
  public:
    /// Draws the lattice from `random`: 2 words a node.
    SmoothField(int width, int height, float spacing, float deviation, Random& random);

    /// out[x] += the field at (x, y) for x in 0..width-1.
    void add_row(int y, float* out) const;

  private:
    int width_, columns_;
    float step_;                  ///< lattice cells a pixel
    std::vector<float> lattice_;  ///< [rows, columns]
};

/// The sum of `octaves` smooth fields, each of half the spacing and half the deviation of the one before. [height,
/// width]
std::vector<float> fractal_field(int width, int height, float spacing, float deviation, int octaves, Random& random);

}  // namespace karyon
