#include "models/import/source.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>

#include "kernels/error.h"

namespace karyon {
namespace {

constexpr BatchNormOptions kTorchNorm{1e-5f, 0.1f}, kTensorFlowNorm{1e-3f, 0.01f};

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return char(std::tolower(c)); });
    return text;
}

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

/// "tf_efficientnet_b4.ap_in1k" from the config that a model hub keeps beside the weights; empty where there is none.
std::string hub_architecture(const std::filesystem::path& folder) {
    std::ifstream file(folder / "config.json");
    std::string text(64 << 10, '\0');
    file.read(text.data(), std::streamsize(text.size()));
    text.resize(std::size_t(file.gcount()));
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object()) return {};
    const auto text_at = [](const nlohmann::json& object, const char* key) {
        const auto found = object.find(key);
        return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
    };
    const std::string architecture = text_at(json, "architecture");
    const auto settings = json.find("pretrained_cfg");
    return lower(architecture + "." + (settings != json.end() ? text_at(*settings, "tag") : std::string()));
}

/// The first of these names that says which EfficientNet it is.
std::string telling_name(const std::filesystem::path& path) {
    const std::filesystem::path absolute = std::filesystem::absolute(path);
    const std::string names[] = {lower(absolute.filename().string()), hub_architecture(absolute.parent_path()),
                                 lower(absolute.parent_path().filename().string())};
    static const std::regex member("efficientnet[-_](b[0-7]|lite[0-4])");
    for (const std::string& name : names)
        if (std::regex_search(name, member)) return name;
    return {};
}

bool is_advprop(const std::string& name) {
    return name.starts_with("adv-") || contains(name, "_ap-") || contains(name, "_ap_") || contains(name, ".ap_") ||
           contains(name, "_ap.") || contains(name, "advprop");
}

}  // namespace

InputScaling half_scaling() { return {{0.5f, 0.5f, 0.5f}, {0.5f, 0.5f, 0.5f}}; }

const std::vector<Source>& published_sources() {
    using enum PaddingKind;
    static const std::vector<Source> sources{
        {"timm", Dialect::timm, symmetric, kTorchNorm, {}, "timm efficientnet_*, trained in PyTorch"},
        {"timm-tf", Dialect::timm, same, {1e-3f, 0.1f}, {}, "timm tf_efficientnet_*, converted from TensorFlow"},
        {"timm-tf-ap", Dialect::timm, same, {1e-3f, 0.1f}, half_scaling(), "timm tf_efficientnet_* by AdvProp"},
        {"lukemelas", Dialect::lukemelas, same, kTensorFlowNorm, {}, "efficientnet_pytorch, efficientnet-*.pth"},
        {"lukemelas-adv", Dialect::lukemelas, same, kTensorFlowNorm, half_scaling(), "its adv-efficientnet-*.pth"},
        {"torchvision", Dialect::torchvision, symmetric, kTorchNorm, {}, "torchvision efficientnet_*"},
        {"qubvel", Dialect::qubvel, same, kTensorFlowNorm, {}, "qubvel's and Callidior's Keras files"},
        {"keras", Dialect::keras, same, kTensorFlowNorm, {}, "keras.applications"}};
    return sources;
}

std::vector<std::string> source_names() {
    std::vector<std::string> names;
    for (const Source& source : published_sources()) names.push_back(source.name);
    return names;
}

const Source& source_named(const std::string& name) {
    for (const Source& source : published_sources())
        if (source.name == name) return source;
    throw Error("--source", "expected {}, found {}", fmt::join(source_names(), " | "), name);
}

Source source_for(Source source, const std::string& member) {
    const bool lite = efficientnet_is_lite(member);
    if (source.dialect == Dialect::torchvision && !lite && member >= "b5") source.batch_norm = kTensorFlowNorm;
    // Google trained all Lite networks on levels from -1 to 1.
    if (lite && source.padding == PaddingKind::same) source.scaling = half_scaling();
    return source;
}

std::vector<Source> possible_sources(Dialect dialect, const std::string& member, const std::filesystem::path& path) {
    std::vector<Source> all;
    for (const Source& source : published_sources())
        if (source.dialect == dialect) all.push_back(source_for(source, member));
    if (all.size() == 1) return all;
    const std::string name = telling_name(path);
    if (dialect == Dialect::lukemelas) return {all[is_advprop(name) ? 1u : 0u]};
    if (name.empty()) return {all[0], all[1]};
    if (!contains(name, "tf_efficientnet")) return {all[0]};
    return {all[is_advprop(name) ? 2u : 1u]};
}

}  // namespace karyon
