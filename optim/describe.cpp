#include "kernels/conv/conv2d.h"
#include "optim/trainer.h"

namespace karyon {

ModelDescription describe(const TrainConfig& config) {
    ModelDescription description;
    UnetOptions& network = description.network;
    network.encoder = config.model.encoder;
    network.view = parse_view(config.model.view);
    network.decoder = parse_decoder_form(config.model.decoder);
    network.padding = config.model.padding == "same" ? PaddingKind::same : PaddingKind::symmetric;
    network.padding_size = config.model.padding_size;
    if (config.model.input == "half") description.scaling = half_scaling();
    network.encoder_batch_norm = {float(config.model.encoder_bn_eps), float(config.model.encoder_bn_momentum)};
    network.decoder_batch_norm = {float(config.model.decoder_bn_eps), float(config.model.decoder_bn_momentum)};
    network.drop_connect = float(config.model.drop_connect);
    network.skip_blocks = config.model.skip_blocks;
    network.tail = config.model.tail;
    network.side_outputs = !config.model.side_loss_weights.empty();
    network.local = config.data.local;
    network.margin = config.data.margin;
    if (config.data.stain_normalise) description.stain_target = reference_stains();
    description.threshold = float(config.predict.threshold);
    return description;
}

DType precision_of(const TrainConfig& config) {
    return config.precision == "fp32" || !precision_warning(config).empty() ? DType::f32 : DType::bf16;
}

std::string precision_warning(const TrainConfig& config) {
    if (config.precision == "fp32" || config.device != "cpu" || kernels::cpu::has_bf16()) return {};
    return "precision = bf16 needs a processor with AVX512-BF16, or --device cuda: computing in fp32";
}

PredictOptions predict_options(const TrainConfig& config) {
    PredictOptions options;
    options.overlap = config.predict.overlap;
    options.gaussian = config.predict.blend == "gaussian";
    options.augmentation = config.predict.tta == "flips"      ? TestTimeAugmentation::flips
                           : config.predict.tta == "dihedral" ? TestTimeAugmentation::dihedral
                                                              : TestTimeAugmentation::none;
    options.precision = precision_of(config);
    return options;
}

}  // namespace karyon
