#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "data/augment.h"

namespace karyon {

/// Everything that decides what a training run does, beside the data itself. What each field means, and what it may be,
/// stands once, in config_table.cpp; TOML files, command-line flags and their help are all made from there.
struct TrainConfig {
    std::string preset = "best";
    std::uint64_t seed = 1;
    int threads = 0;
    std::string device = "cpu", precision = "fp32";

    struct Model {
        std::string encoder = "b4", view = "local_global", decoder = "smp", padding = "same", input = "imagenet";
        int padding_size = 0;
        double encoder_bn_eps = 1e-3, encoder_bn_momentum = 0.1, decoder_bn_eps = 1e-3, decoder_bn_momentum = 0.1;
        int skip_blocks = 1;
        bool tail = true;
        std::vector<double> side_loss_weights;
        double drop_connect = 0.2;
    } model;

    struct Data {
        bool stain_normalise = true;
        int local = 256, margin = 64;
        std::vector<std::string> validation;
        int workers = 1;
    } data;

    AugmentConfig augment;

    struct Optim {
        int batch = 8, epochs = 50, steps_per_epoch = 0;
        double lr = 1e-3;
        std::string schedule = "constant";
        int warmup_steps = 0;
        double beta1 = 0.9, beta2 = 0.999, eps = 1e-7;
        std::string eps_placement = "keras";
        double weight_decay = 0, bce_weight = 0, grad_clip = 0, ema_decay = 0, max_minutes = 0;
    } optim;

    struct Predict {
        double threshold = 0.5;
        int overlap = 0;
        std::string blend = "none", tta = "none";
    } predict;
};

/// The names that preset() knows: paper-b4, fast, best.
const std::vector<std::string>& preset_names();
/// Throws Error naming the presets there are.
TrainConfig preset(std::string_view name);

/// Changes the fields of `config` that the TOML text names; `where` is the file name for messages. Throws Error naming
/// file, line and key for a key that is not known, a value of another type or out of range, and text that is not TOML;
/// `config` is then as before.
void read_config_text(TrainConfig& config, std::string_view text, std::string_view where);
void read_config(TrainConfig& config, const std::filesystem::path&);

/// The `preset` key of a config file; empty where it names none. Throws as read_config.
std::string preset_named_in(const std::filesystem::path&);

/// The whole config as TOML with the meaning of each key beside it; reading it back gives an equal config.
std::string to_toml(const TrainConfig&);

/// What must hold between fields (an overlap smaller than the patch, ...). Throws Error naming the keys.
void check(const TrainConfig&);

}  // namespace karyon
