#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "optim/config.h"
#include "optim/curves.h"

namespace karyon {

struct StepRecord;
struct ValidationRecord;

/// What a training run leaves:
///
///   config.toml         the resolved config
///   metrics.jsonl       a JSON object a line, one a step and one a validation; every one has "step" and "epoch"
///   curves.png          training loss and validation Dice, drawn anew at every validation
///   last.safetensors    everything to continue bit for bit
///   best.safetensors    the weights with the best validation Dice
class RunFolder {
  public:
    /// Looks, and changes nothing. Throws Error when the folder holds a checkpoint and `resume` is not set, and when
    /// `resume` is set and there is no checkpoint.
    RunFolder(std::filesystem::path, bool resume);

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path best() const { return path_ / "best.safetensors"; }
    std::filesystem::path last() const { return path_ / "last.safetensors"; }
    std::filesystem::path config() const { return path_ / "config.toml"; }
    std::filesystem::path metrics() const { return path_ / "metrics.jsonl"; }
    std::filesystem::path curves() const { return path_ / "curves.png"; }

    /// Makes the folder, writes the config and keeps the records up to `step` (0: a new run), which drops what a run
    /// that was killed had written after its checkpoint. Throws Error when the folder cannot be made or written.
    void start(const TrainConfig&, std::int64_t step);

    /// Each adds a line and flushes it. Throws Error when it cannot be written.
    void append(const StepRecord&) const;
    void append(const ValidationRecord&) const;

  private:
    void append(const nlohmann::ordered_json& record) const;

    std::filesystem::path path_;
    std::string title_;
};

/// The curves of a metrics.jsonl: "train_loss", "validation_dice" and "validation_pooled_dice" against "epoch".
/// Lines that are not JSON objects (cut off by a crash) are left out; a missing file has no curves.
TrainingHistory read_history(const std::filesystem::path& metrics);

}  // namespace karyon
