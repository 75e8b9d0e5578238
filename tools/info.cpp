#include <fmt/format.h>
#include <fmt/ranges.h>

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "models/model.h"
#include "optim/run_folder.h"
#include "tensor/safetensors.h"
#include "tools/command.h"

namespace karyon::tools {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct Options {
    std::string path;
    bool tensors = false, json = false;
};

constexpr const char* example = R"(Examples:
  karyon info RUN
  karyon info RUN/best.safetensors --tensors

Reads a run folder, or any safetensors file: what the network is, what it was trained on, how far it got.)";

/// Text that holds JSON becomes that JSON.
Json unpacked(const std::string& text) {
    const Json value = Json::parse(text, nullptr, false);
    return value.is_discarded() || !value.is_structured() ? Json(text) : value;
}

Json checkpoint_json(const fs::path& path, bool tensors) {
    const SafetensorsFile file = SafetensorsFile::open(path);
    std::int64_t elements = 0;
    Json list = Json::array();
    for (const SafetensorsEntry& entry : file.entries()) {
        std::int64_t count = 1;
        for (const std::int64_t size : entry.shape) count *= size;
        elements += count;
        list.push_back({{"name", entry.name}, {"dtype", name_of(entry.dtype)}, {"shape", entry.shape}});
    }
    Json json = {{"file", path.string()},
                 {"bytes", fs::file_size(path)},
                 {"tensors", list.size()},
                 {"elements", elements},
                 {"skipped", file.skipped().size()}};
    Json& metadata = json["metadata"] = Json::object();
    for (const auto& [key, text] : file.metadata()) metadata[key] = unpacked(text);
    if (tensors) json["list"] = list;
    return json;
}

Json run_json(const fs::path& path, bool tensors) {
    const TrainingHistory history = read_history(path / "metrics.jsonl");
    Json json = {{"run", path.string()}};
    if (fs::exists(path / "config.toml")) {
        TrainConfig config;
        read_config(config, path / "config.toml");
        json["preset"] = config.preset;
        json["encoder"] = config.model.encoder;
        json["view"] = config.model.view;
        json["epochs"] = config.optim.epochs;
    }
    if (!history.train_loss.empty()) {
        json["epoch"] = history.train_loss.back().x;
        json["train_loss"] = history.train_loss.back().y;
    }
    double best = -1;
    for (const Point& point : history.validation_dice)
        if (point.y > best) {
            best = point.y;
            json["best_validation_dice"] = point.y;
            json["best_epoch"] = point.x;
        }
    const fs::path model = path / "best.safetensors";
    json["model"] = fs::exists(model) ? checkpoint_json(model, tensors) : Json();
    return json;
}

/// One line; numbers as short as they were meant (JSON holds floats with all the digits of a double).
std::string line_of(const Json& value) {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_number_float()) return fmt::format("{:.6g}", value.get<double>());
    if (!value.is_array()) return value.dump();
    std::vector<std::string> parts;
    for (const Json& part : value) parts.push_back(line_of(part));
    return fmt::format("{}", fmt::join(parts, ", "));
}

void print_value(const std::string& key, const Json& value, int depth) {
    const std::string indent(std::size_t(depth) * 2, ' ');
    if (value.is_object()) {
        fmt::print("{}{}\n", indent, key);
        for (const auto& [name, inner] : value.items()) print_value(name, inner, depth + 1);
    } else if (key == "list") {
        for (const Json& tensor : value)
            fmt::print("{}{}  {}  {}\n", indent, tensor["name"].get<std::string>(), tensor["dtype"].get<std::string>(),
                       tensor["shape"].dump());
    } else {
        fmt::print("{}{:<{}} {}\n", indent, key, std::max(2, 24 - 2 * depth), line_of(value));
    }
}

void run(const Options& options) {
    const fs::path path = options.path;
    std::error_code failure;
    if (!fs::exists(path, failure))
        throw Error(path.string(), "expected a run folder or a safetensors file, got nothing");
    if (fs::is_directory(path) && !fs::exists(path / "metrics.jsonl") && !fs::exists(path / "best.safetensors"))
        throw Error(path.string(), "expected a run folder with metrics.jsonl or best.safetensors, got neither");
    const Json json = fs::is_directory(path) ? run_json(path, options.tensors) : checkpoint_json(path, options.tensors);
    if (options.json)
        fmt::print("{}\n", json.dump(2));
    else
        for (const auto& [key, value] : json.items()) print_value(key, value, 0);
}

}  // namespace

void add_info(CLI::App& app) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("info", "Show what a run or a checkpoint holds");
    command->footer(example);
    command->add_option("PATH", options->path, "run folder or safetensors file")->required();
    command->add_flag("--tensors", options->tensors, "list every tensor");
    add_json(*command, options->json);
    command->callback([options] { run(*options); });
}

}  // namespace karyon::tools
