#include <fmt/format.h>
#include <omp.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "optim/init.h"
#include "optim/run_folder.h"
#include "optim/trainer.h"
#include "tools/command.h"
#include "tools/config_flags.h"
#include "tools/encoder_hints.h"
#include "tools/progress.h"

namespace karyon::tools {
namespace {

struct Options {
    std::string data, split, out, init;
    EncoderHints hints;
    bool resume = false, json = false;
    std::unique_ptr<ConfigFlags> config;
};

constexpr const char* example = R"(Examples:
  karyon train --data DIR --split train.txt --out RUN --preset fast --max-minutes 5
  karyon train --data DIR --split train.txt --out RUN --config recipe.toml --lr 5e-4
  karyon train --data DIR --split train.txt --out RUN --init tf_efficientnet_b4_ns-d6313a46.pth
  karyon train --data DIR --split train.txt --out RUN --resume

DIR holds images/NAME.{tif,png,jpg} and one of masks/NAME.png, labels/NAME.png, annotations/NAME.xml; the split is a text
file of 'NAME [ORGAN]' a line. The options start from the preset, then come the keys of the config file, then the flags.
RUN receives best.safetensors (the model), last.safetensors (for --resume, also after a crash), config.toml (every key
as it was used, a good start for a config file of your own), metrics.jsonl and curves.png.)";

/// Writes what happens to standard error.
class Reporter : public TrainObserver {
  public:
    Reporter(const TrainConfig& config, const TrainPaths& paths) : config_(config), paths_(paths) {}

    void planned(const TrainPlan& plan) override {
        plan_ = plan;
        const auto line = [](const char* what, const std::string& text) {
            fmt::print(stderr, "{:<9}{}\n", what, text);
        };
        line("network",
             fmt::format("EfficientNet-{} U-Net, view {}, {:.1f} M parameters, patch {}{}", config_.model.encoder,
                         config_.model.view, double(plan.parameters) * 1e-6, config_.data.local,
                         config_.model.view == "local" ? "" : fmt::format(" + {}", config_.data.margin)));
        line("data", fmt::format("{}, {}: {} images to train on, {} to validate", paths_.data.string(),
                                 paths_.split.string(), plan.training_images, plan.validation_images));
        line("recipe",
             fmt::format("{}, batch {}, lr {:g} {}, {} steps in epochs of {}", config_.preset, config_.optim.batch,
                         config_.optim.lr, config_.optim.schedule, plan.total_steps, plan.steps_per_epoch));
        line("run", fmt::format("{}, {} threads, seed {}{}", paths_.out.string(), omp_get_max_threads(), config_.seed,
                                plan.first_step ? fmt::format(", from step {}", plan.first_step) : ""));
        if (config_.optim.max_minutes > 0)
            line("time", fmt::format("at most {}", duration_text(60 * config_.optim.max_minutes)));
        progress_.emplace("step", plan.total_steps, plan.first_step, 30);
    }

    void stepped(const StepRecord& record) override {
        loss_sum_ += record.loss, ++losses_;
        // The first step also sets things up; the few after it tell how long a step takes.
        const std::int64_t run = record.step - plan_.first_step;
        if (run > 1) timed_ += record.seconds;
        if (run == 6) announce(timed_ / 5);
        progress_->update(record.step, fmt::format("epoch {:.2f}  loss {:.4f}", record.epoch, record.loss));
    }

    void validated(const ValidationRecord& record) override {
        const std::int64_t epochs = (plan_.total_steps + plan_.steps_per_epoch - 1) / plan_.steps_per_epoch;
        progress_->message(
            fmt::format("epoch {}/{}  step {}  loss {:.4f}  validation Dice {:.4f} per image, {:.4f} pooled{}",
                        record.epoch, epochs, record.step, losses_ ? loss_sum_ / losses_ : 0.0, record.scores.mean_dice,
                        record.scores.pooled_dice, record.best ? "  best" : ""));
        loss_sum_ = 0, losses_ = 0;
    }

    void warned(const std::string& text) override {
        if (progress_)
            progress_->message("warning: " + text);
        else
            fmt::print(stderr, "warning: {}\n", text);
    }

    void clear() {
        if (progress_) progress_->clear();
    }

  private:
    void announce(double seconds_a_step) {
        const double left = double(plan_.total_steps - plan_.first_step) * seconds_a_step;
        const double limit = 60 * config_.optim.max_minutes;
        progress_->message(fmt::format("{:.2f} s a step: about {} without validation{}", seconds_a_step,
                                       duration_text(limit > 0 ? std::min(left, limit) : left),
                                       limit > 0 && left > limit ? ", the time limit" : ""));
    }

    const TrainConfig& config_;
    const TrainPaths& paths_;
    TrainPlan plan_;
    std::optional<Progress> progress_;
    double loss_sum_ = 0, timed_ = 0;
    int losses_ = 0;
};

TrainConfig resolve(const Options& options) {
    if (!options.resume) return options.config->resolve("best");
    TrainConfig config;
    read_config(config, RunFolder(options.out, true).config());
    options.config->apply(config);
    return config;
}

void run(const Options& options) {
    TrainConfig config = resolve(options);
    TrainPaths paths{options.data, options.split, options.out, std::nullopt, options.hints};
    if (!options.init.empty()) {
        paths.init = options.init;
        paths.init_hints.padding_size = config.model.padding_size;
        if (const auto encoder = encoder_to_start_from(options.init, paths.init_hints)) {
            adopt_conventions(config, *encoder);
            fmt::print(stderr, "{:<9}{} from {}: padding {}, batch norm eps {:g}, input {}\n", "init", options.init,
                       encoder->description().source, config.model.padding, config.model.encoder_bn_eps,
                       config.model.input);
        }
    }
    Reporter reporter(config, paths);
    const TrainResult result = train(config, paths, options.resume, reporter);
    reporter.clear();
    const std::string model = (paths.out / "best.safetensors").string();
    if (options.json) {
        const nlohmann::ordered_json json = {{"model", model},
                                             {"steps", result.steps},
                                             {"best_validation_dice", result.best_dice},
                                             {"seconds", result.seconds},
                                             {"peak_bytes", result.peak_bytes},
                                             {"out_of_time", result.out_of_time}};
        fmt::print("{}\n", json.dump(2));
        return;
    }
    fmt::print("{} steps in {}, at most {:.2f} GB of tensors{}\nbest validation Dice (mean per image) {:.4f}: {}\n",
               result.steps, duration_text(result.seconds), double(result.peak_bytes) * 1e-9,
               result.out_of_time ? ", ended by the time limit" : "", result.best_dice, model);
}

}  // namespace

void add_train(CLI::App& app) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("train", "Train a network on images and their outlines");
    command->footer(example);
    command->add_option("--data", options->data, "folder of images and what was drawn on them")
        ->required()
        ->type_name("DIR");
    command->add_option("--split", options->split, "text file of the names to train on")->required()->type_name("FILE");
    command->add_option("--out", options->out, "folder for the run")->required()->type_name("RUN");
    command
        ->add_option(
            "--init", options->init,
            "checkpoint to start from: of the same network, or an encoder as published (.safetensors, .pth, .h5)")
        ->type_name("FILE");
    add_source(*command, options->hints);
    command->add_flag("--resume", options->resume, "go on where the run in RUN stands, with its config");
    add_json(*command, options->json);
    options->config = std::make_unique<ConfigFlags>(
        *command, std::vector<std::string>{"", "model", "data", "augment", "optim", "predict"});
    command->callback([options] { run(*options); });
}

}  // namespace karyon::tools
