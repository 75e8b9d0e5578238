#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "data/image.h"
#include "data/stain.h"
#include "models/model.h"

namespace karyon {

/// Test-time augmentation: the mean over the image itself, its four flips, or all eight turns and flips.
enum class TestTimeAugmentation : unsigned char { none, flips, dihedral };

struct PredictOptions {
    int overlap = 64;      ///< pixels that neighbouring tiles share; 0: side by side
    bool gaussian = true;  ///< overlapping predictions weigh less towards their tile's border; false: equal weights
    TestTimeAugmentation augmentation = TestTimeAugmentation::none;
    int batch = 4;                 ///< tiles a forward pass
    DType precision = DType::f32;  ///< of the activations
};

/// The probability of "nucleus" at every pixel.
struct Probability {
    int width = 0, height = 0;
    std::vector<float> values;  ///< [height, width]
};

/// An image as a model's network wants it.
struct PreparedImage {
    Image image;                       ///< stain-normalised where the model wants it; for a GPU as it was read
    std::optional<StainModel> stains;  ///< of the image as it was read, where the model wants it stain-normalised
    std::string warning;               ///< why it could not be stain-normalised and stays as it is; else empty
};

Mask threshold(const Probability&, float level);

/// Offsets of the tiles along one side: from 0 in steps of `tile - overlap`, the last one flush with the end.
std::vector<int> tile_offsets(int size, int tile, int overlap);

/// Runs a network over images of any size from 1x1 up, tile by tile (overlap-tile, Ronneberger 2015): an image smaller
/// than a tile is mirrored at its borders, the global view is zero outside the image as in training. Memory is bounded
/// by one batch of tiles beside two floats a pixel.
class Predictor {
  public:
    /// The weights must not change while this lives.
    explicit Predictor(const Model&);
    ~Predictor();

    /// Estimates the image's stains and normalises it, on the CPU whatever the model's device. Any thread may do so
    /// while another predicts. Throws Error for an image without pixels.
    PreparedImage prepare(Image) const;

    /// `image` is from prepare(). `progress(done, of)` counts tiles.
    Probability operator()(const PreparedImage& image, const PredictOptions&,
                           const std::function<void(int, int)>& progress = nullptr) const;
    Probability operator()(Image image, const PredictOptions& options,
                           const std::function<void(int, int)>& progress = nullptr) const {
        return (*this)(prepare(std::move(image)), options, progress);
    }

  private:
    const Model& model_;
    std::unique_ptr<FoldedWeights> folded_;
};

}  // namespace karyon
