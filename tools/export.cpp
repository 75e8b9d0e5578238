#include <fmt/format.h>

#include <map>
#include <memory>

#include "models/export/onnx.h"
#include "models/export/published_names.h"
#include "tools/command.h"
#include "tools/encoder_hints.h"

namespace karyon::tools {
namespace {

struct Options {
    std::string in, out, to;
    EncoderHints hints;
};

const std::map<std::string, Dialect> kNames{{"timm", Dialect::timm},
                                            {"torchvision", Dialect::torchvision},
                                            {"lukemelas", Dialect::lukemelas},
                                            {"keras-names", Dialect::qubvel}};

constexpr const char* example = R"(Examples:
  karyon export RUN/best.safetensors unet.onnx --to onnx
  karyon export RUN/best.safetensors encoder.safetensors --to timm

onnx: the whole network of karyon train, from RGB levels to logits and probability, for any runtime. The others: its
encoder, or that of any published checkpoint, as safetensors with the names and layouts of that library.)";

void run(const Options& options) {
    if (options.to == "onnx") {
        const auto model = Model::load(options.in);
        export_onnx(*model, options.out);
        fmt::print("U-Net on efficientnet_{}, {} view: {}\n", model->description.network.encoder,
                   name_of(model->description.network.view), options.out);
        return;
    }
    const PublishedEncoder encoder = PublishedEncoder::open(options.in, options.hints);
    const Source source = export_encoder(encoder, kNames.at(options.to), options.out);
    fmt::print("efficientnet_{} with {} input channels for {} ({}): {}\n", encoder.network().member,
               encoder.network().in_channels, source.name, source.about, options.out);
}

}  // namespace

void add_export(CLI::App& app) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("export", "Write a network for other programs: ONNX, or other names");
    command->footer(example);
    command->add_option("IN", options->in, "checkpoint of karyon; an encoder as published, for --to NAMES")->required();
    command->add_option("OUT", options->out, "file to write")->required();
    command->add_option("--to", options->to, "what to write")
        ->required()
        ->check(CLI::IsMember({"onnx", "timm", "torchvision", "lukemelas", "keras-names"}))
        ->type_name("FORM");
    add_encoder_hints(*command, options->hints);
    command->callback([options] { run(*options); });
}

}  // namespace karyon::tools
