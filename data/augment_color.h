#pragma once

#include <cstddef>

#include "data/augment.h"

namespace karyon {

/// levels[pixels, 3], 0..255, in place: the stain concentrations are scaled and shifted in optical density (what the
/// stains do not explain stays), then gamma, contrast and brightness. Nothing to change leaves every bit as it was.
void recolour(const Augmentation&, const StainModel&, float* levels, std::size_t pixels);

/// values[count] += noise of the given deviation, from the sum of four random bytes each: bell-shaped, within 3.5
/// deviations.
void add_noise(float deviation, std::uint64_t seed, float* values, std::size_t count);

/// levels[size, size, 3] with 0 where inside[size, size] is 0, and clamped to 0..255 elsewhere.
void keep_inside(const std::uint8_t* inside, float* levels, std::size_t pixels);

}  // namespace karyon
