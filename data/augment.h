#pragma once

#include <cstdint>
#include <vector>

#include "data/image.h"
#include "data/patches.h"
#include "data/stain.h"
#include "tensor/random.h"

namespace karyon {

/// What may be done to a training sample; by default nothing. Ranges are symmetric about "no change".
struct AugmentConfig {
    bool flip = false;           ///< mirror every second sample
    bool rot90 = false;          ///< turn by 0, 90, 180 or 270 degrees
    float rotate = 0;            ///< probability of a turn by any angle
    float scale = 1;             ///< zoom between 1 / scale and scale, evenly in the logarithm
    float elastic = 0;           ///< deviation of the displacement, pixels
    float elastic_spacing = 40;  ///< length over which displacements change, pixels
    float stain_gain = 0;        ///< deviation of the relative change of each stain's concentration
    float stain_bias = 0;        ///< deviation of the concentration that is added
    float brightness = 0;        ///< greatest change, 1 = from black to white
    float contrast = 0;          ///< greatest relative change of the contrast about mid-grey
    float gamma = 0;             ///< greatest change of the logarithm of gamma
    float blur = 0;              ///< probability of a blur
    float blur_sigma = 1.5f;     ///< its greatest deviation, pixels
    float noise = 0;             ///< probability of sensor noise
    float noise_sigma = 6;       ///< its greatest deviation, grey levels
    StainModel stains;           ///< the stains of the images: the target where they are normalised
};

/// Throws Error naming the field that is out of range.
void check(const AugmentConfig&);

/// What was drawn for one sample. The default changes nothing.
struct Augmentation {
    bool flip = false;
    int quarter_turns = 0;  ///< counterclockwise
    float angle = 0;        ///< radians, counterclockwise, after the quarter turns
    float zoom = 1;         ///< > 1: things look larger
    float elastic = 0;      ///< deviation of the displacement, pixels
    float elastic_spacing = 40;
    float stain_gain[2] = {1, 1}, stain_bias[2] = {0, 0};
    float brightness = 0, contrast = 1, gamma = 1;
    float blur = 0, noise = 0;  ///< deviations, pixels and grey levels
    std::uint64_t seed = 0;     ///< of the displacements and the noise
};

/// Uses the same number of words for any config, so that switching one thing off leaves the others as they were.
Augmentation draw_augmentation(const AugmentConfig&, Random&);

/// Where the views of one sample go; null for what is not wanted.
struct SampleViews {
    float* local = nullptr;          ///< [local, local, 3]
    float* global = nullptr;         ///< [global, global, 3]
    std::uint8_t* target = nullptr;  ///< [local, local]
};

/// Cuts augmented samples. The window (the global view, or the local one where that is all) is warped about its centre
/// and recoloured as one; the local view is its middle, so both always agree. Bilinear for the image, nearest for the
/// mask, 0 outside of them whatever the recolouring. Flips and quarter turns move pixels exactly. Keeps its buffers:
/// one a thread.
class Sampler {
  public:
    Sampler(const PatchGeometry&, const InputScaling&, const StainModel& stains = {});

    /// The sample whose local view, unaugmented, has its upper left corner at (x, y).
    void sample(const Image&, const Mask&, int x, int y, const Augmentation&, const SampleViews&);

  private:
    PatchGeometry geometry_;
    InputScaling scaling_;
    StainModel stains_;
    std::vector<float> levels_;         ///< [window, window, 3]
    std::vector<std::uint8_t> inside_;  ///< [window, window]: 1 on the image
};

}  // namespace karyon
