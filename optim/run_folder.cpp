#include "optim/run_folder.h"

#include <cmath>
#include <fstream>

#include "data/image_io.h"
#include "kernels/error.h"
#include "optim/trainer.h"
#include "tensor/atomic_file.h"

namespace karyon {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

void write_text(const fs::path& path, const std::string& text) {
    AtomicFile file(path);
    file.write(text.data(), text.size());
    file.commit();
}

/// Calls `use(line, record)` for every line that is a JSON object.
template <typename Use>
void for_each_record(const fs::path& path, Use use) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        const Json record = Json::parse(line, nullptr, false);
        if (record.is_object()) use(line, record);
    }
}

/// The value of a key; NaN where there is none, or null.
double number_in(const Json& record, const char* key) {
    const auto found = record.find(key);
    return found != record.end() && found->is_number() ? found->get<double>() : NAN;
}

std::string records_until(const fs::path& metrics, std::int64_t step) {
    std::string kept;
    for_each_record(metrics, [&](const std::string& line, const Json& record) {
        if (number_in(record, "step") <= double(step)) kept += line + '\n';
    });
    return kept;
}

}  // namespace

RunFolder::RunFolder(fs::path path, bool resume) : path_(std::move(path)) {
    std::error_code ignored;
    const bool has_state = fs::exists(last(), ignored);
    if (resume && !has_state)
        throw Error(path_.string(), "expected last.safetensors to resume from, got none: train without --resume");
    if (!resume && (has_state || fs::exists(best(), ignored)))
        throw Error(path_.string(),
                    "expected a folder without a run, got one with a checkpoint: continue it with --resume, or name "
                    "another folder");
}

void RunFolder::start(const TrainConfig& resolved, std::int64_t step) {
    std::error_code failure;
    fs::create_directories(path_, failure);
    if (!fs::is_directory(path_, failure))
        throw Error(path_.string(), "expected a folder that can be made, got: {}",
                    failure ? failure.message() : "a file of that name");
    title_ = fmt::format("{} {} ({})", resolved.model.encoder, resolved.model.view, resolved.preset);
    write_text(config(), to_toml(resolved));
    write_text(metrics(), step > 0 ? records_until(metrics(), step) : "");
}

void RunFolder::append(const StepRecord& record) const {
    append(nlohmann::ordered_json{{"step", record.step},
                                  {"epoch", record.epoch},
                                  {"train_loss", record.loss},
                                  {"lr", record.learning_rate},
                                  {"gradient_norm", record.gradient_norm},
                                  {"seconds", record.seconds},
                                  {"data_seconds", record.data_seconds}});
}

void RunFolder::append(const ValidationRecord& record) const {
    append(nlohmann::ordered_json{{"step", record.step},
                                  {"epoch", record.epoch},
                                  {"validation_dice", record.scores.mean_dice},
                                  {"validation_pooled_dice", record.scores.pooled_dice},
                                  {"validation_mean_iou", record.scores.mean_iou},
                                  {"best", record.best},
                                  {"seconds", record.seconds}});
    write_png(curves(), draw_training_curves(read_history(metrics()), title_));
}

void RunFolder::append(const nlohmann::ordered_json& record) const {
    std::ofstream file(metrics(), std::ios::app);
    file << record.dump() << '\n' << std::flush;
    if (!file) throw Error(metrics().string(), "expected to add a line, got a failed write");
}

TrainingHistory read_history(const fs::path& metrics) {
    TrainingHistory history;
    for_each_record(metrics, [&](const std::string&, const Json& record) {
        const auto add = [&](std::vector<Point>& curve, const char* key) {
            const Point point{number_in(record, "epoch"), number_in(record, key)};
            if (std::isfinite(point.x) && std::isfinite(point.y)) curve.push_back(point);
        };
        add(history.train_loss, "train_loss");
        add(history.validation_dice, "validation_dice");
        add(history.validation_pooled_dice, "validation_pooled_dice");
    });
    return history;
}

}  // namespace karyon
