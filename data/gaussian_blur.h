#pragma once

namespace karyon {

/// pixels[height, width, 3] in place: a Gaussian of deviation `sigma` pixels, cut off at 3 sigma; the border pixels
/// repeat. sigma 0 changes nothing.
void gaussian_blur(float* pixels, int width, int height, float sigma);

}  // namespace karyon
