#include "optim/config_table.h"

#include "models/efficientnet.h"

namespace karyon {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Adds the fields of one section, a line or two each.
struct Section {
    std::vector<Field>& fields;
    std::string_view name;

    void any(std::string_view key, Field::Value value, std::string_view help) const {
        fields.push_back({.section = name, .key = key, .value = value, .help = help});
    }
    void number(std::string_view key, Field::Value value, double low, double high, std::string_view help) const {
        fields.push_back({.section = name, .key = key, .value = value, .help = help, .low = low, .high = high});
    }
    void choice(std::string_view key, std::string* value, std::vector<std::string_view> choices,
                std::string_view help) const {
        fields.push_back({.section = name, .key = key, .value = value, .help = help, .choices = std::move(choices)});
    }
};

void add_run(const Section& run, TrainConfig& config) {
    run.any("preset", &config.preset, "the recipe that all other keys start from");
    run.any("seed", &config.seed, "of weights, patches and augmentation");
    run.number("threads", &config.threads, 0, 1024, "0: one for every core");
    run.any("device", &config.device, "where the network runs: cpu, cuda, or cuda:NUMBER for one of several GPUs");
    run.choice("precision", &config.precision, {"fp32", "bf16"},
               "of the activations; weights, statistics and losses are fp32 always; bf16 needs a GPU, or AVX512-BF16");
}

void add_model(const Section& model, TrainConfig::Model& m) {
    model.choice("encoder", &m.encoder, {efficientnet_members().begin(), efficientnet_members().end()},
                 "EfficientNet of that size");
    model.choice("view", &m.view, {"local", "local_global", "wide"},
                 "what the network sees: the patch, the patch and the window around it (the paper), the window alone");
    model.choice("decoder", &m.decoder, {"smp", "keras"},
                 "U-Net form: skips from stage outputs (smp) or from their expansions (keras)");
    model.choice("padding", &m.padding, {"same", "symmetric"}, "of the encoder: as in TensorFlow, or as in PyTorch");
    model.number(
        "padding_size", &m.padding_size, 0, 4096,
        "same padding of the encoder fixed for images of this side, as smp does; 0: worked out for each image");
    model.choice("input", &m.input, {"imagenet", "half"},
                 "mean and std that levels are scaled by: ImageNet's, or 0.5 (AdvProp and Lite weights)");
    model.number("encoder_bn_eps", &m.encoder_bn_eps, 1e-10, 1, "eps of batch norm in the encoder");
    model.number("encoder_bn_momentum", &m.encoder_bn_momentum, 1e-4, 1,
                 "share of a new batch in the encoder's running statistics; 0.01 needs 500 steps and more");
    model.number("decoder_bn_eps", &m.decoder_bn_eps, 1e-10, 1, "eps of batch norm in the decoder");
    model.number("decoder_bn_momentum", &m.decoder_bn_momentum, 1e-4, 1,
                 "share of a new batch in the decoder's running statistics");
    model.number("skip_blocks", &m.skip_blocks, 0, 8, "residual blocks on every skip");
    model.any("tail", &m.tail, "join the views to the last decoder stage through a residual block");
    model.number("side_loss_weights", &m.side_loss_weights, 0, 10,
                 "of the losses of the first four decoder stages, coarsest first; empty: no side losses");
    model.number("drop_connect", &m.drop_connect, 0, 0.9,
                 "chance that an image skips the last encoder block in training; grows linearly with depth");
}

void add_data(const Section& data, TrainConfig::Data& d) {
    data.any("stain_normalise", &d.stain_normalise,
             "Macenko normalisation of every image to the target saved with the model");
    data.number("local", &d.local, 32, 1024, "side of the patch in pixels, a multiple of 32");
    data.number("margin", &d.margin, 0, 512, "pixels of the window around the patch, a multiple of 16");
    data.any("validation", &d.validation,
             "names of training images held out for validation; empty: the last of every organ");
    data.number("workers", &d.workers, 1, 256, "threads that prepare patches");
}

void add_augment(const Section& augment, AugmentConfig& a) {
    augment.any("flip", &a.flip, "mirror every second patch");
    augment.any("rot90", &a.rot90, "turn by 0, 90, 180 or 270 degrees");
    augment.number("rotate", &a.rotate, 0, 1, "probability of a turn by any angle");
    augment.number("scale", &a.scale, 1, 4, "zoom between 1/scale and scale; 1: none");
    augment.number("elastic", &a.elastic, 0, 50, "deviation of an elastic displacement, pixels");
    augment.number("elastic_spacing", &a.elastic_spacing, 4, 1000, "length over which displacements change, pixels");
    augment.number("stain_gain", &a.stain_gain, 0, 0.5, "deviation of the relative change of each stain");
    augment.number("stain_bias", &a.stain_bias, 0, 0.5, "deviation of the amount added to each stain");
    augment.number("brightness", &a.brightness, 0, 1, "greatest change; 1: from black to white");
    augment.number("contrast", &a.contrast, 0, 0.9, "greatest relative change of the contrast");
    augment.number("gamma", &a.gamma, 0, 1, "greatest change of the logarithm of gamma");
    augment.number("blur", &a.blur, 0, 1, "probability of a blur");
    augment.number("blur_sigma", &a.blur_sigma, 0, 20, "its greatest deviation, pixels");
    augment.number("noise", &a.noise, 0, 1, "probability of sensor noise");
    augment.number("noise_sigma", &a.noise_sigma, 0, 100, "its greatest deviation, grey levels");
}

void add_optim(const Section& optim, TrainConfig::Optim& o) {
    optim.number("batch", &o.batch, 1, 1024, "patches a step");
    optim.number("epochs", &o.epochs, 1, 1e6, "passes over the training images");
    optim.number("steps_per_epoch", &o.steps_per_epoch, 0, 1e6,
                 "0: as many as cover the area of the training images once");
    optim.number("lr", &o.lr, 1e-9, 10, "learning rate; the peak of a schedule");
    optim.choice("schedule", &o.schedule, {"constant", "cosine"}, "learning rate: constant, or down to 0 by a cosine");
    optim.number("warmup_steps", &o.warmup_steps, 0, 1e6, "steps in which the learning rate rises linearly to lr");
    optim.number("beta1", &o.beta1, 0, 0.99999, "AMSGrad: decay of the mean gradient");
    optim.number("beta2", &o.beta2, 0, 0.9999999, "AMSGrad: decay of the mean squared gradient");
    optim.number("eps", &o.eps, 1e-16, 1, "AMSGrad: added to the denominator");
    optim.choice("eps_placement", &o.eps_placement, {"keras", "pytorch"},
                 "AMSGrad: eps before (keras) or after (pytorch) the correction of the second moment");
    optim.number("weight_decay", &o.weight_decay, 0, 1, "decoupled decay of the weights, times the learning rate");
    optim.number("bce_weight", &o.bce_weight, 0, 10, "weight of binary cross-entropy beside the Jaccard loss");
    optim.number("grad_clip", &o.grad_clip, 0, infinity, "largest norm of the gradient; 0: no limit");
    optim.number("ema_decay", &o.ema_decay, 0, 0.99999,
                 "decay of the running mean of the weights that is validated and kept; 0: off");
    optim.number("max_minutes", &o.max_minutes, 0, 1e6, "wall time that the schedule is cut to fit; 0: no limit");
}

void add_predict(const Section& predict, TrainConfig::Predict& p) {
    predict.number("threshold", &p.threshold, 0, 1, "probability from which a pixel is nucleus");
    predict.number("overlap", &p.overlap, 0, 1023, "pixels that neighbouring tiles share");
    predict.choice("blend", &p.blend, {"none", "gaussian"},
                   "of overlapping tiles: the plain mean, or weighted towards their centres");
    predict.choice("tta", &p.tta, {"none", "flips", "dihedral"},
                   "test-time mean over nothing, 4 flips, or all 8 flips and rotations");
}

}  // namespace

std::vector<Field> fields_of(TrainConfig& config) {
    std::vector<Field> fields;
    add_run({fields, ""}, config);
    add_model({fields, "model"}, config.model);
    add_data({fields, "data"}, config.data);
    add_augment({fields, "augment"}, config.augment);
    add_optim({fields, "optim"}, config.optim);
    add_predict({fields, "predict"}, config.predict);
    return fields;
}

}  // namespace karyon
