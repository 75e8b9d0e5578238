#include <fmt/format.h>

#include <memory>

#include "models/import/initialise.h"
#include "models/import/published_unet.h"
#include "tools/encoder_hints.h"

namespace karyon::tools {
namespace {

struct Options {
    std::string in, out;
    EncoderHints hints;
};

constexpr const char* example = R"(Examples:
  karyon convert tf_efficientnet_b4_ns-d6313a46.pth b4.safetensors
  karyon convert efficientnet-b4_noisy-student_notop.h5 b4.safetensors
  karyon train --init b4.safetensors ...
  karyon convert unet.pth unet.safetensors
  karyon predict --model unet.safetensors --out masks images

Writes the network with karyon's names and layouts, and with what its tensors cannot tell: padding, eps of batch norm
and input scaling, as the source has them. --init of karyon train takes published files without this step as well. A U-Net of
segmentation_models_pytorch or Keras' segmentation_models becomes a network that karyon predict runs.)";

void run(const Options& options) {
    const PublishedEncoder encoder = PublishedEncoder::open(options.in, options.hints);
    if (const auto unet = PublishedUnet::find(encoder)) {
        const auto model = unet->load();
        model->save(options.out, model->arena.values(), model->arena.buffers());
        fmt::print("U-Net on efficientnet_{} from {}: {}\n", encoder.network().member, encoder.description().source,
                   options.out);
        return;
    }
    convert_encoder(encoder, options.out);
    fmt::print("efficientnet_{} from {}, {} parameters: {}\n", encoder.network().member, encoder.description().source,
               encoder.parameters(), options.out);
}

}  // namespace

void add_convert(CLI::App& app) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("convert", "Turn a published checkpoint into one of karyon");
    command->footer(example);
    command->add_option("IN", options->in, "safetensors, PyTorch .pth or Keras .h5")->required();
    command->add_option("OUT", options->out, "file to write")->required()->type_name("FILE.safetensors");
    add_encoder_hints(*command, options->hints);
    command->callback([options] { run(*options); });
}

}  // namespace karyon::tools
