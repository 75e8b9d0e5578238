#include "optim/config.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "kernels/error.h"

namespace karyon {
namespace {

/// The recipe as the paper states it. Where it is silent, what its likely base (Keras segmentation_models) does: the
/// keras decoder, SAME padding, batch norm with eps 1e-3 and momentum 0.01, eps 1e-7 in the Keras place.
TrainConfig paper_b4() {
    TrainConfig config;
    config.preset = "paper-b4";
    config.augment.flip = config.augment.rot90 = true;
    config.model.decoder = "keras";
    config.model.encoder_bn_momentum = config.model.decoder_bn_momentum = 0.01;
    return config;
}

/// A first look within minutes on a CPU: the smallest encoder, the patch alone, a short run.
TrainConfig fast() {
    TrainConfig config;
    config.preset = "fast";
    config.model.encoder = "b0";
    config.model.view = "local";
    config.model.skip_blocks = 0;
    config.model.tail = false;
    config.model.drop_connect = 0;
    config.data.local = 128;
    config.data.margin = 32;
    config.augment.flip = config.augment.rot90 = true;
    config.augment.stain_gain = 0.1f;
    config.augment.stain_bias = 0.02f;
    config.optim.epochs = 10;
    config.optim.schedule = "cosine";
    config.optim.warmup_steps = 10;
    config.optim.bce_weight = 0.5;
    config.optim.ema_decay = 0.95;
    config.predict = {.threshold = 0.5, .overlap = 32, .blend = "gaussian", .tta = "none"};
    return config;
}

/// The paper's network with what helps a small data set, in a run of 1000 steps: short enough for two cores.
TrainConfig best() {
    TrainConfig config;
    config.preset = "best";
    config.model.drop_connect = 0.1;
    config.augment.flip = config.augment.rot90 = true;
    config.augment.scale = 1.25f;
    config.augment.stain_gain = 0.15f;
    config.augment.stain_bias = 0.05f;
    config.augment.brightness = 0.05f;
    config.augment.contrast = 0.1f;
    config.augment.blur = 0.1f;
    config.augment.noise = 0.1f;
    config.optim.epochs = 40;
    config.optim.steps_per_epoch = 50;
    config.optim.schedule = "cosine";
    config.optim.warmup_steps = 50;
    config.optim.eps_placement = "pytorch";
    config.optim.eps = 1e-8;
    config.optim.weight_decay = 0.01;
    config.optim.bce_weight = 0.5;
    config.optim.ema_decay = 0.99;
    config.predict = {.threshold = 0.5, .overlap = 128, .blend = "gaussian", .tta = "flips"};
    return config;
}

void require(bool holds, std::string_view key, std::string_view expected, const auto& found) {
    if (!holds) throw Error("config", "{}: expected {}, got {}", key, expected, found);
}

}  // namespace

const std::vector<std::string>& preset_names() {
    static const std::vector<std::string> names = {"paper-b4", "fast", "best"};
    return names;
}

TrainConfig preset(std::string_view name) {
    if (name == "paper-b4") return paper_b4();
    if (name == "fast") return fast();
    if (name == "best") return best();
    throw Error("preset", "expected one of {}, got '{}'", fmt::join(preset_names(), ", "), name);
}

void check(const TrainConfig& config) {
    require(std::ranges::find(preset_names(), config.preset) != preset_names().end(), "preset",
            fmt::format("one of {}", fmt::join(preset_names(), ", ")), config.preset);
    require(config.data.local % 32 == 0, "data.local", "a multiple of 32", config.data.local);
    require(config.data.margin % 16 == 0, "data.margin", "a multiple of 16", config.data.margin);
    const std::size_t sides = config.model.side_loss_weights.size();
    require(sides == 0 || sides == 4, "model.side_loss_weights", "no weight or four, one a decoder stage", sides);
    require(config.predict.overlap < config.data.local, "predict.overlap",
            fmt::format("less than data.local = {}", config.data.local), config.predict.overlap);
}

}  // namespace karyon
