#include "optim/init.h"

#include "kernels/error.h"
#include "models/model.h"

namespace karyon {

std::optional<PublishedEncoder> encoder_to_start_from(const std::filesystem::path& path, const EncoderHints& hints) {
    Checkpoint checkpoint = Checkpoint::open(path);
    if (checkpoint.metadata().contains(kDescriptionKey)) return {};
    return PublishedEncoder(std::move(checkpoint), hints);
}

void adopt_conventions(TrainConfig& config, const PublishedEncoder& encoder) {
    const EncoderDescription& d = encoder.description();
    const std::string file = encoder.checkpoint().path().string();
    if (d.network.member != config.model.encoder)
        throw Error(file, "expected an EfficientNet {}, as the recipe has it, found {}: say --encoder {}",
                    config.model.encoder, d.network.member, d.network.member);
    const bool half = d.scaling == half_scaling();
    if (!half && !(d.scaling == InputScaling{}))
        throw Error(file, "expected ImageNet's input scaling or 0.5 for mean and std, found another mean: {:g}",
                    d.scaling.mean[0]);
    config.model.padding = d.network.padding == PaddingKind::same ? "same" : "symmetric";
    config.model.padding_size = d.network.padding_size;
    // By way of text: as a double the float 1e-3 would be 0.0010000000474974513.
    config.model.encoder_bn_eps = std::stod(fmt::format("{}", d.network.batch_norm.eps));
    config.model.input = half ? "half" : "imagenet";
}

}  // namespace karyon
