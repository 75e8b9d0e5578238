#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "data/metrics.h"
#include "models/import/published_encoder.h"
#include "models/predictor.h"
#include "optim/config.h"

namespace karyon {

struct TrainPaths {
    std::filesystem::path data;   ///< folder of images and what was drawn on them
    std::filesystem::path split;  ///< the names to train on
    std::filesystem::path out;    ///< the run folder
    /// A checkpoint of the same network to start from, or a published encoder (adopt_conventions in optim/init.h).
    std::optional<std::filesystem::path> init;
    EncoderHints init_hints{};
};

struct TrainPlan {
    std::int64_t parameters = 0, first_step = 0, total_steps = 0, steps_per_epoch = 0;
    std::size_t training_images = 0, validation_images = 0;
};

struct StepRecord {
    std::int64_t step = 0;  ///< from 1
    double epoch = 0;       ///< fractions count steps
    float loss = 0, learning_rate = 0, gradient_norm = 0;
    double seconds = 0;       ///< of this step, waiting for the data included
    double data_seconds = 0;  ///< of it, spent waiting for the loader
};

struct ValidationRecord {
    std::int64_t step = 0, epoch = 0;
    ScoreSummary scores;
    bool best = false;
    double seconds = 0;  ///< spent validating
};

struct TrainResult {
    std::int64_t steps = 0;
    double best_dice = 0;
    double seconds = 0;          ///< over all resumptions
    std::size_t peak_bytes = 0;  ///< of tensors
    bool out_of_time = false;
};

/// Told of everything as it happens, on the thread that trains.
class TrainObserver {
  public:
    virtual ~TrainObserver() = default;
    virtual void planned(const TrainPlan&) {}
    virtual void stepped(const StepRecord&) {}
    virtual void validated(const ValidationRecord&) {}
    virtual void warned(const std::string&) {}
};

/// The network that a configuration describes; `organs` and `trained_on` are the caller's to fill in.
ModelDescription describe(const TrainConfig&);
/// That of the activations: f32 also where the processor lacks bf16, which precision_warning then says.
DType precision_of(const TrainConfig&);
/// Empty where there is nothing to say.
std::string precision_warning(const TrainConfig&);
PredictOptions predict_options(const TrainConfig&);

/// Trains from a split and leaves in the run folder: best.safetensors (the averaged weights of the epoch with the
/// highest validation Dice), last.safetensors (everything that a resumption needs), config.toml, metrics.jsonl and
/// curves.png. Same configuration, data, machine and build: the same weights, also after any number of interruptions
/// (unless max_minutes cut it short: the schedule then follows the clock).
/// Throws Error for unusable data, a run folder that holds another run, a checkpoint that does not fit, and a loss or
/// gradient that is not finite.
TrainResult train(const TrainConfig&, const TrainPaths&, bool resume, TrainObserver&);

}  // namespace karyon
