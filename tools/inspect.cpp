#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "models/import/published_unet.h"
#include "tools/command.h"
#include "tools/encoder_hints.h"

namespace karyon::tools {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
    std::string path;
    EncoderHints hints;
    bool tensors = false, json = false;
};

constexpr const char* example = R"(Examples:
  karyon inspect tf_efficientnet_b4_ns-d6313a46.pth
  karyon inspect model.safetensors --source timm --json

Reads safetensors, PyTorch .pth and Keras .h5, runs no code of the file, and says which EfficientNet it is, alone or in a
U-Net, where it comes from, what is missing and what would not be used.)";

/// What is in the file: an encoder, or a U-Net on it.
struct Finding {
    const PublishedEncoder& encoder;
    std::optional<PublishedUnet> unet;

    const std::vector<std::string>& missing() const { return unet ? unet->missing() : encoder.missing(); }
    const std::vector<std::string>& misshaped() const { return unet ? unet->misshaped() : encoder.misshaped(); }
    const std::vector<std::string>& unused() const { return unet ? unet->unused() : encoder.unused(); }
    int padding_size() const {
        return unet ? unet->description().network.padding_size : encoder.network().padding_size;
    }
};

Json scaling_json(const InputScaling& scaling) { return {{"mean", scaling.mean}, {"std", scaling.std}}; }

Json source_json(const Finding& finding) {
    const PublishedEncoder& encoder = finding.encoder;
    std::vector<std::string> candidates;
    for (const Source& source : encoder.candidates()) candidates.push_back(source.name);
    if (candidates.size() > 1) return {{"source", nullptr}, {"candidates", candidates}};
    const EncoderDescription& d = encoder.description();
    return {{"source", d.source},
            {"padding", d.network.padding == PaddingKind::same ? "same" : "symmetric"},
            {"padding_size", finding.padding_size()},
            {"batch_norm_eps", d.network.batch_norm.eps},
            {"input", scaling_json(d.scaling)}};
}

Json tensor_list(const Checkpoint& checkpoint) {
    Json list = Json::array();
    for (const CheckpointTensor& tensor : checkpoint.tensors())
        list.push_back({{"name", tensor.name}, {"dtype", name_of(tensor.type)}, {"shape", tensor.shape}});
    return list;
}

Json inspect(const Finding& finding, bool tensors) {
    const PublishedEncoder& encoder = finding.encoder;
    const Checkpoint& checkpoint = encoder.checkpoint();
    Json json = source_json(finding);
    std::map<std::string, int> types;
    for (const CheckpointTensor& tensor : checkpoint.tensors()) ++types[std::string(name_of(tensor.type))];
    json["model"] = "efficientnet_" + encoder.network().member;
    json["unet"] = finding.unet ? Json(name_of(finding.unet->description().network.decoder)) : Json();
    json["names"] = name_of(encoder.dialect());
    json["prefix"] = encoder.prefix();
    json["file"] = checkpoint.path().string();
    json["container"] = checkpoint.container();
    json["parameters"] = encoder.parameters();
    json["in_channels"] = encoder.network().in_channels;
    json["head"] = encoder.network().head;
    json["classes"] = encoder.network().classes;
    json["tensors"] = checkpoint.tensors().size();
    json["dtypes"] = types;
    json["missing"] = finding.missing();
    json["misshaped"] = finding.misshaped();
    json["unused"] = finding.unused();
    json["ignored"] = encoder.ignored().size();
    if (tensors) json["list"] = tensor_list(checkpoint);
    return json;
}

void print_names(const char* what, const std::vector<std::string>& names) {
    constexpr std::size_t most = 5;
    fmt::print("{:<12}{}\n", what, names.empty() ? "none" : std::to_string(names.size()));
    for (std::size_t i = 0; i < std::min(most, names.size()); ++i) fmt::print("  {}\n", names[i]);
    if (names.size() > most) fmt::print("  ... (--json has all)\n");
}

void print_text(const Finding& finding, bool tensors) {
    const PublishedEncoder& encoder = finding.encoder;
    const EfficientNetOptions& o = encoder.network();
    const auto line = [](const char* what, const std::string& text) { fmt::print("{:<12}{}\n", what, text); };
    line("model", fmt::format("efficientnet_{}, {} parameters, {}", o.member, encoder.parameters(),
                              o.classes ? fmt::format("{} classes", o.classes)
                              : o.head  ? "no classifier"
                                        : "no head"));
    if (finding.unet) line("inside", "a U-Net of the form " + name_of(finding.unet->description().network.decoder));
    line("container",
         fmt::format("{}, {} tensors", encoder.checkpoint().container(), encoder.checkpoint().tensors().size()));
    if (encoder.candidates().size() == 1) {
        const EncoderDescription& d = encoder.description();
        line("source", d.source);
        line("padding",
             fmt::format("{}{}", o.padding == PaddingKind::same ? "same" : "symmetric",
                         finding.padding_size() ? fmt::format(", fixed for {}", finding.padding_size()) : ""));
        line("batch norm", fmt::format("eps {:g}", o.batch_norm.eps));
        line("input",
             fmt::format("(level / 255 - {:g}) / {:g}", fmt::join(d.scaling.mean, " "), fmt::join(d.scaling.std, " ")));
    } else {
        std::vector<std::string> names;
        for (const Source& source : encoder.candidates()) names.push_back("--source " + source.name);
        line("source", fmt::format("not known: its names fit {}", fmt::join(names, " and ")));
    }
    print_names("missing", finding.missing());
    print_names("misshaped", finding.misshaped());
    print_names("unused", finding.unused());
    if (!tensors) return;
    for (const CheckpointTensor& tensor : encoder.checkpoint().tensors())
        fmt::print("{}  {}  {}\n", tensor.name, name_of(tensor.type), to_string(tensor.shape));
}

void run(const Options& options) {
    const PublishedEncoder encoder = PublishedEncoder::open(options.path, options.hints);
    const bool known = encoder.candidates().size() == 1;
    const Finding finding{encoder, known ? PublishedUnet::find(encoder) : std::nullopt};
    if (options.json)  // names from a file may be in any encoding
        fmt::print("{}\n", inspect(finding, options.tensors).dump(2, ' ', false, Json::error_handler_t::replace));
    else
        print_text(finding, options.tensors);
}

}  // namespace

void add_inspect(CLI::App& app) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("inspect", "Say what a published checkpoint holds");
    command->footer(example);
    command->add_option("FILE", options->path, "safetensors, PyTorch .pth or Keras .h5")->required();
    command->add_flag("--tensors", options->tensors, "list every tensor");
    add_encoder_hints(*command, options->hints);
    add_json(*command, options->json);
    command->callback([options] { run(*options); });
}

}  // namespace karyon::tools
