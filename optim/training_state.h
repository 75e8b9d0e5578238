#pragma once

#include <cstdint>
#include <filesystem>

#include "models/model.h"
#include "optim/optimizer.h"

namespace karyon {

/// Where a training run stands. Every random number of a run is a function of (seed, step), and the loader's position
/// is the step: with the weights, the moments and the averages this is all that it takes to go on bit for bit.
struct TrainingPosition {
    std::int64_t step = 0;
    double best_dice = -1;  ///< of validation, so far
    double seconds = 0;     ///< spent training, over all resumptions
};

/// Writes RUN/last.safetensors: temporary file, fsync, rename. A crash at any moment leaves the file before it.
void save_training_state(const std::filesystem::path&, const Model&, const Optimizer&, const TrainingPosition&,
                         const std::string& config_fingerprint);

/// Reads it back into a model and an optimiser of the same configuration. Throws Error naming what differs.
TrainingPosition load_training_state(const std::filesystem::path&, Model&, Optimizer&,
                                     const std::string& config_fingerprint);

}  // namespace karyon
