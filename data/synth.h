#pragma once

#include <cstdint>

#include "data/image.h"
#include "data/stain.h"

namespace karyon {

/// What a synthetic H&E image is like. Lengths are pixels of a scan at 40x (0.25 micrometres).
struct SynthConfig {
    int width = 512, height = 512;
    float density = 9;             ///< nuclei that are tried per 100x100 pixels
    float radius = 10;             ///< mean radius of an epithelial nucleus
    float touching = 0.3f;         ///< share of the nuclei that are set against another
    float lumen = 0.06f;           ///< share of the area that is white gaps
    StainModel stains;             ///< around which the image's own stain vectors are drawn
    float stain_jitter = 0.03f;    ///< deviation of the components of the stain vectors
    float strength_jitter = 0.1f;  ///< relative deviation of the amount of each stain
    float blur = 0.7f;             ///< deviation of the microscope's blur
    float noise = 1.2f;            ///< deviation of the sensor's noise, grey levels
};

/// An image with all that is known about it.
struct SynthImage {
    Image image;
    Labels labels;  ///< nuclei 1..N
    Mask mask;
    StainModel
        stains;  ///< the vectors used; the maxima are the 99th percentiles of the concentrations outside the glass
};

/// Draws hematoxylin and eosin concentrations of stroma, epithelium, lumina, red cells and nuclei, and turns them into
/// light by the law of Beer and Lambert. The same config and seed give the same bits on any number of threads. Throws
/// Error for sizes below 1 and values out of range.
SynthImage make_synthetic(const SynthConfig&, std::uint64_t seed);

}  // namespace karyon
