#include "optim/trainer.h"

#include <omp.h>

#include <chrono>
#include <cmath>

#include "data/loader.h"
#include "models/import/initialise.h"
#include "optim/init.h"
#include "optim/run_folder.h"
#include "optim/schedule.h"
#include "optim/training_data.h"
#include "optim/training_state.h"
#include "optim/training_step.h"
#include "tensor/allocator.h"

namespace karyon {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

OptimizerOptions optimizer_options(const TrainConfig::Optim& o) {
    return {float(o.beta1),
            float(o.beta2),
            float(o.eps),
            o.eps_placement == "keras" ? kernels::EpsPlacement::keras : kernels::EpsPlacement::pytorch,
            float(o.weight_decay),
            float(o.grad_clip),
            float(o.ema_decay)};
}

/// What must be the same when a run goes on; how long and on how many threads it runs may change.
std::string fingerprint(TrainConfig config) {
    config.threads = 0;
    config.device = "cpu";
    config.data.workers = 1;
    config.optim.epochs = 1;
    config.optim.max_minutes = 0;
    config.predict = {};
    return to_toml(config);
}

std::int64_t derived_steps_per_epoch(const TrainConfig& config, const std::vector<TrainingCase>& cases) {
    if (config.optim.steps_per_epoch > 0) return config.optim.steps_per_epoch;
    const auto patches = [&](int size) { return (size + config.data.local - 1) / config.data.local; };
    std::int64_t count = 0;
    for (const TrainingCase& item : cases)
        count += std::int64_t(patches(item.image.width)) * patches(item.image.height);
    return std::max<std::int64_t>(1, count / config.optim.batch);
}

/// The averaged weights stand in for the current ones while this lives.
class AveragedWeights {
  public:
    AveragedWeights(const Arena& arena, const Optimizer& optimizer)
        : arena_(arena), values_(arena.values().clone()), buffers_(arena.buffers().clone()) {
        arena.values().copy_from(optimizer.averaged_values());
        arena.buffers().copy_from(optimizer.averaged_buffers());
    }
    ~AveragedWeights() {
        arena_.values().copy_from(values_);
        arena_.buffers().copy_from(buffers_);
    }

  private:
    const Arena& arena_;
    Tensor values_, buffers_;
};

ModelDescription description_for(const TrainConfig& config, const TrainingData& data, const Split& split) {
    ModelDescription description = describe(config);
    description.organs = data.organs;
    description.trained_on = split.name;
    return description;
}

class Run {
  public:
    Run(const TrainConfig& config, const TrainPaths& paths, bool resume, TrainObserver& observer)
        : config_(config),
          observer_(observer),
          folder_(paths.out, resume),
          split_(read_split(paths.split)),
          data_(load_data(config, paths, split_)),
          model_(description_for(config, data_, split_), config.seed, parse_device(config.device)),
          optimizer_(prepare(paths), optimizer_options(config.optim)),
          step_(config_, model_, optimizer_) {
        if (resume) position_ = load_training_state(folder_.last(), model_, optimizer_, fingerprint(config));
        folder_.start(config, position_.step);
        steps_per_epoch_ = derived_steps_per_epoch(config, *data_.training);
        total_steps_ = steps_per_epoch_ * config.optim.epochs;
        schedule_ = {parse_schedule(config.optim.schedule), float(config.optim.lr),
                     double(config.optim.warmup_steps) / double(total_steps_), 0};
    }

    TrainResult go() {
        for (const std::string& warning : data_.warnings) observer_.warned(warning);
        if (const std::string warning = precision_warning(config_); !warning.empty()) observer_.warned(warning);
        observer_.planned({model_.arena.values().size(), position_.step, total_steps_, steps_per_epoch_,
                           data_.training->size(), data_.validation.size()});
        Loader loader(data_.training, loader_config(), position_.step);
        bool out_of_time = false;
        while (position_.step < total_steps_ && !out_of_time) {
            step(loader);
            out_of_time = config_.optim.max_minutes > 0 && position_.seconds >= 60 * config_.optim.max_minutes;
            if (position_.step % steps_per_epoch_ == 0 || position_.step == total_steps_ || out_of_time) finish_epoch();
        }
        return {position_.step, position_.best_dice, position_.seconds, Allocator::of(model_.device()).use().peak,
                out_of_time};
    }

  private:
    static TrainingData load_data(const TrainConfig& config, const TrainPaths& paths, const Split& split) {
        const auto target = describe(config).stain_target;
        return read_training_data(DataFolder(paths.data), split, config.data.validation, target ? &*target : nullptr);
    }

    /// Initial weights, before the optimiser takes its copies.
    const Arena& prepare(const TrainPaths& paths) {
        if (!paths.init) return model_.arena;
        if (const auto encoder = encoder_to_start_from(*paths.init, paths.init_hints))
            initialise_encoder(*encoder, model_);
        else
            model_.load_state(SafetensorsFile::open(*paths.init), *paths.init);
        return model_.arena;
    }

    LoaderConfig loader_config() const {
        LoaderConfig loader;
        loader.geometry.local = config_.data.local;
        loader.geometry.margin = config_.data.margin;
        loader.geometry.want_local = model_.network.wants_local();
        loader.geometry.want_global = model_.network.wants_global();
        loader.augment = config_.augment;
        loader.scaling = model_.description.scaling;
        loader.batch = config_.optim.batch;
        loader.seed = config_.seed;
        loader.workers = config_.data.workers;
        loader.pinned = model_.device().kind == Device::Kind::cuda;
        return loader;
    }

    double progress() const {
        const double steps = double(position_.step) / double(total_steps_);
        return config_.optim.max_minutes > 0 ? std::max(steps, position_.seconds / (60 * config_.optim.max_minutes))
                                             : steps;
    }

    void step(Loader& loader) {
        const auto start = Clock::now();
        const Batch batch = loader.next();
        const double waited = seconds_since(start);
        // One step ahead, so that the first step of a warm-up does not stand still.
        const float rate = schedule_.rate(progress() + 1.0 / double(total_steps_));
        const TrainingStep::Result result = step_(batch, rate, position_.step);
        ++position_.step;
        const double spent = seconds_since(start);
        position_.seconds += spent;
        const StepRecord record{position_.step,
                                double(position_.step) / double(steps_per_epoch_),
                                result.loss,
                                rate,
                                result.gradient_norm,
                                spent,
                                waited};
        folder_.append(record);
        observer_.stepped(record);
    }

    void finish_epoch() {
        const auto start = Clock::now();
        ValidationRecord record{
            position_.step, (position_.step + steps_per_epoch_ - 1) / steps_per_epoch_, {}, false, 0};
        record.scores = validate();
        record.best = record.scores.mean_dice > position_.best_dice;
        if (record.best) {
            position_.best_dice = record.scores.mean_dice;
            model_.save(folder_.best(), optimizer_.averaged_values(), optimizer_.averaged_buffers());
        }
        record.seconds = seconds_since(start);
        position_.seconds += record.seconds;
        save_training_state(folder_.last(), model_, optimizer_, position_, fingerprint(config_));
        folder_.append(record);
        observer_.validated(record);
    }

    ScoreSummary validate() const {
        const AveragedWeights averaged(model_.arena, optimizer_);
        // Side by side and unflipped: epochs are compared with each other, a tenth of the cost tells them apart.
        PredictOptions options;
        options.overlap = 0;
        options.precision = precision_of(config_);
        const Predictor predictor(model_);
        Scores scores("validation");
        for (const TrainingCase& item : data_.validation)
            scores.add(item.name, item.organ, item.mask,
                       threshold(predictor(item.image, options), float(config_.predict.threshold)));
        return scores.all();
    }

    const TrainConfig config_;
    TrainObserver& observer_;
    RunFolder folder_;
    Split split_;
    TrainingData data_;
    Model model_;
    Optimizer optimizer_;
    TrainingStep step_;
    TrainingPosition position_;
    std::int64_t steps_per_epoch_ = 0, total_steps_ = 0;
    Schedule schedule_;
};

}  // namespace

TrainResult train(const TrainConfig& config, const TrainPaths& paths, bool resume, TrainObserver& observer) {
    check(config);
    if (config.threads > 0) omp_set_num_threads(config.threads);
    return Run(config, paths, resume, observer).go();
}

}  // namespace karyon
