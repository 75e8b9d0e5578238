#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/loader.h"
#include "data/stain.h"

namespace karyon {

/// The images of a training split, read once, with some held out to choose the best epoch by: test images are never
/// used for that. The training images are stain-normalised; the others are as they came, for the predictor normalises.
struct TrainingData {
    std::shared_ptr<const std::vector<TrainingCase>> training;
    std::vector<TrainingCase> validation;
    std::vector<std::string> organs;    ///< of the training images, sorted
    std::vector<std::string> warnings;  ///< images whose stains could not be estimated, and the like
};

/// `held_out` names the validation images. Empty: the last image of every organ in the split, or, where the split names
/// no organs, the last fifth. A single image is trained and validated on, with a warning.
/// Throws Error where a name is not in the split, or nothing would be left to train on.
TrainingData read_training_data(const DataFolder&, const Split&, const std::vector<std::string>& held_out,
                                const StainModel* stain_target);

/// The names that would be held out.
std::vector<std::string> held_out_names(const Split&, const std::vector<std::string>& requested);

}  // namespace karyon
