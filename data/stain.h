#pragma once

#include <array>
#include <cstdint>

#include "data/image.h"

namespace karyon {

/// Optical density of an 8-bit level: -ln((level + 1) / 256). White is exactly 0, so glass stays white under any change
/// of stains, and the inverse 256 exp(-density) - 1 gives back every level exactly.
const std::array<float, 256>& optical_density();

/// The colours of a stained image by the law of Beer and Lambert: density = stains^T concentrations + what neither
/// stain explains.
struct StainModel {
    /// Unit vectors (red, green, blue) of optical density: hematoxylin, eosin.
    float stains[2][3] = {{0.5626f, 0.7201f, 0.4062f}, {0.2159f, 0.8012f, 0.5581f}};
    /// The concentration of each stain that counts as full: its 99th percentile.
    float max_concentration[2] = {1.9705f, 1.0308f};
    /// Why the values are the reference ones rather than those of the image; null where they are the image's.
    const char* fallback = nullptr;

    /// Hematoxylin, eosin, the two maxima: what is saved with a model.
    std::array<float, 8> values() const;
    /// Throws Error for values that are not finite, not positive maxima, or not two different directions.
    static StainModel from_values(const std::array<float, 8>&);
};

/// The default target: the stain vectors and maxima in common use as the reference of Macenko's method.
StainModel reference_stains();

struct StainOptions {
    float beta = 0.15f;         ///< pixels with a density below this in any channel tell nothing about the stains
    float alpha = 1;            ///< percentile (and 100 - alpha) of the angles that is taken for a pure stain
    float max_percentile = 99;  ///< of the concentrations
    int min_pixels = 200;       ///< with fewer pixels to judge by: fall back
    float min_angle = 5;        ///< degrees between the stains below which there is but one: fall back
};

/// M. Macenko et al., "A method for normalizing histology slides for quantitative analysis", ISBI 2009: the plane of
/// the two largest singular vectors of the densities, and in it the extreme directions. The one with more red density
/// is hematoxylin. As in the paper the singular vectors are those of the densities themselves; the common centred
/// covariance gives a plane that can miss them. The maxima are taken over the pixels that are not glass (beta in some
/// channel), so that an almost empty tile is not stretched; angles and concentrations are read from histograms of 2^-14
/// and 2^-10. Never throws for any picture: blank, too little tissue, one colour, one stain give the reference with
/// `fallback` set.
StainModel estimate_stains(const Image&, const StainOptions& = {});

/// Unmixes by least squares with the source's stains, scales the concentrations by the ratio of the maxima, and mixes
/// with the target's stains; what the source's stains do not explain is dropped, as in the paper. A copy where either
/// fell back.
Image normalise(const Image&, const StainModel& source, const StainModel& target);

/// What normalise() does to optical densities, [in][out]: d'[out] = max(0, sum over in of gain[in][out] * d[in]).
std::array<std::array<double, 3>, 3> transfer_gain(const StainModel& source, const StainModel& target);

/// Density to concentrations: the pseudo-inverse of the stain vectors, [2][3].
std::array<std::array<float, 3>, 2> unmixing(const StainModel&);

}  // namespace karyon
