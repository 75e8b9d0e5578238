#include "optim/training_state.h"

#include <charconv>

namespace karyon {
namespace {

constexpr const char* kFingerprintKey = "karyon.config";

template <typename T>
T number(const SafetensorsFile& file, const std::filesystem::path& path, const std::string& key) {
    const auto found = file.metadata().find(key);
    if (found == file.metadata().end())
        throw Error(path.string(), "expected the state of a training run (metadata \"{}\"), found none", key);
    T value{};
    const char* end = found->second.data() + found->second.size();
    if (const auto [last, error] = std::from_chars(found->second.data(), end, value);
        error != std::errc() || last != end)
        throw Error(path.string(), "expected a number in metadata \"{}\", found \"{}\"", key, found->second);
    return value;
}

}  // namespace

void save_training_state(const std::filesystem::path& path, const Model& model, const Optimizer& optimizer,
                         const TrainingPosition& position, const std::string& config_fingerprint) {
    const Tensor values = model.arena.values().to(Device{}), buffers = model.arena.buffers().to(Device{});
    auto items = state_items(model.arena, values, buffers, "model.");
    std::vector<Tensor> held;
    for (const auto& [name, tensor] : optimizer.state()) {
        held.push_back(tensor.to(Device{}));
        items.push_back({name, DType::f32, tensor.shape(), held.back().raw()});
    }
    write_safetensors(path, items,
                      {{kDescriptionKey, to_json(model.description)},
                       {kFingerprintKey, config_fingerprint},
                       {"karyon.step", fmt::format("{}", position.step)},
                       {"karyon.best_dice", fmt::format("{}", position.best_dice)},
                       {"karyon.seconds", fmt::format("{}", position.seconds)}});
}

TrainingPosition load_training_state(const std::filesystem::path& path, Model& model, Optimizer& optimizer,
                                     const std::string& config_fingerprint) {
    const SafetensorsFile file = SafetensorsFile::open(path);
    const TrainingPosition position{number<std::int64_t>(file, path, "karyon.step"),
                                    number<double>(file, path, "karyon.best_dice"),
                                    number<double>(file, path, "karyon.seconds")};
    if (const auto found = file.metadata().find(kFingerprintKey);
        found == file.metadata().end() || found->second != config_fingerprint)
        throw Error(path.string(),
                    "expected a run of the same configuration, found another: resume with the options it was started "
                    "with (they are in config.toml beside it)");
    for (const auto& [name, tensor] : optimizer.state())
        if (!file.contains(name) || file.entry(name).shape != tensor.shape())
            throw Error(path.string(), "expected {} of {}, found {}", name, to_string(tensor.shape()),
                        file.contains(name) ? to_string(file.entry(name).shape) : "none");
    read_state(file, path, model.arena, model.arena.values(), model.arena.buffers(), "model.");
    for (const auto& [name, tensor] : optimizer.state()) {
        tensor.copy_from_bytes(file.bytes(name));
    }
    optimizer.set_steps(position.step);
    return position;
}

}  // namespace karyon
