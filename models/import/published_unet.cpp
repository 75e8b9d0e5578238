#include "models/import/published_unet.h"

#include <set>

#include "kernels/error.h"
#include "models/import/classify.h"

namespace karyon {
namespace {

/// The published name of a tensor outside the encoder: "decoder.stages.0.bn1.weight", "output.bias".
std::string published_decoder_name(DecoderForm form, const std::string& name) {
    const std::string leaf = name.substr(name.rfind('.') + 1);
    const bool smp = form == DecoderForm::smp;
    if (name.starts_with("output."))
        return smp ? "segmentation_head.0." + leaf : leaf == "weight" ? "final_conv/kernel" : "final_conv/bias";
    constexpr std::string_view stages = "decoder.stages.";
    const char stage = name.at(stages.size());
    const std::string layer = name.substr(stages.size() + 2, name.rfind('.') - stages.size() - 2);
    const bool norm = layer.starts_with("bn");
    const char which = layer.back();
    if (smp) return fmt::format("decoder.blocks.{}.conv{}.{}.{}", stage, which, norm ? 1 : 0, leaf);
    const std::string keras =
        fmt::format("decoder_stage{}{}_{}/", stage, which == '1' ? 'a' : 'b', norm ? "bn" : "conv");
    if (!norm) return keras + "kernel";
    return keras + (leaf == "weight"         ? "gamma"
                    : leaf == "bias"         ? "beta"
                    : leaf == "running_mean" ? "moving_mean"
                                             : "moving_variance");
}

/// A tensor that is laid out as a convolution of the encoder is.
EncoderTensor laid_out(const Shape& shape) {
    EncoderTensor tensor;
    tensor.shape = shape;
    return tensor;
}

std::unique_ptr<Model> empty_model(const ModelDescription& description) {
    const UndefinedWeights undefined;
    return std::make_unique<Model>(description, 0);
}

}  // namespace

std::optional<PublishedUnet> PublishedUnet::find(const PublishedEncoder& encoder) {
    const Checkpoint& file = encoder.checkpoint();
    const std::string& whole = encoder.prefix();
    const std::string prefix = whole.substr(0, std::min(whole.rfind("encoder."), whole.size()));
    if (file.find(prefix + "decoder.blocks.0.conv1.0.weight")) return PublishedUnet(encoder, DecoderForm::smp, prefix);
    if (file.find("decoder_stage0a_conv/kernel")) return PublishedUnet(encoder, DecoderForm::keras, "");
    return {};
}

PublishedUnet::PublishedUnet(const PublishedEncoder& encoder, DecoderForm form, std::string prefix)
    : encoder_(encoder),
      layout_(form == DecoderForm::smp ? Dialect::lukemelas : Dialect::qubvel),
      prefix_(std::move(prefix)) {
    const EncoderDescription& d = encoder.description();
    UnetOptions& o = description_.network;
    o.encoder = d.network.member;
    o.view = View::local;
    o.decoder = form;
    o.padding = d.network.padding;
    o.padding_size = d.network.padding_size;
    if (o.padding_size == 0 && form == DecoderForm::smp && encoder.dialect() == Dialect::lukemelas)
        o.padding_size = native_size(o.encoder);
    o.encoder_batch_norm = d.network.batch_norm;
    o.decoder_batch_norm = form == DecoderForm::smp ? BatchNormOptions{1e-5f, 0.1f} : BatchNormOptions{1e-3f, 0.01f};
    o.skip_blocks = 0;
    o.tail = false;
    description_.scaling = d.scaling;
    if (d.network.in_channels != 3)
        throw Error(encoder.checkpoint().path().string(), "expected a U-Net of 3 input channels, found {}",
                    d.network.in_channels);
    if (form == DecoderForm::smp && encoder.dialect() == Dialect::lukemelas && o.encoder == "b0")
        throw Error(encoder.checkpoint().path().string(),
                    "expected smp's U-Net on B1 to B7, found B0: smp takes its skip at 1/16 behind the first block of "
                    "the fifth stage, which no U-Net here does, and from the others behind the last");
    compare();
}

void PublishedUnet::compare() {
    const Checkpoint& file = encoder_.checkpoint();
    missing_ = encoder_.missing();
    misshaped_ = encoder_.misshaped();
    std::set<std::string> used;
    const auto model = empty_model(description_);
    for (const Arena::Entry& entry : model->arena.entries()) {
        if (entry.name.starts_with("encoder.")) continue;
        const std::string name = prefix_ + published_decoder_name(description_.network.decoder, entry.name);
        used.insert(name);
        const CheckpointTensor* found = file.find(name);
        const Shape shape = published_shape(layout_, laid_out(entry.shape));
        if (!found)
            missing_.push_back(name);
        else if (found->shape != shape || !is_real(found->type))
            misshaped_.push_back(difference(name, shape, *found));
    }
    for (const std::string& name : encoder_.unused()) {
        if (used.contains(name)) continue;
        if (name.starts_with(prefix_ + "decoder"))
            throw Error(file.path().string(), "expected the plain decoder of a U-Net, found {} in it", shown(name));
        unused_.push_back(name);
    }
}

std::unique_ptr<Model> PublishedUnet::load() const {
    const std::string file = encoder_.checkpoint().path().string();
    if (!missing_.empty() || !misshaped_.empty())
        throw Error(file,
                    "expected the tensors of a U-Net on efficientnet_{}, found {} missing and {} of another shape; {}",
                    description_.network.encoder, missing_.size(), misshaped_.size(),
                    missing_.empty() ? misshaped_.front() : "first missing: " + missing_.front());
    auto model = empty_model(description_);
    std::map<std::string, const EncoderTensor*> encoder;
    for (const EncoderTensor& tensor : encoder_.tensors()) encoder.emplace("encoder." + tensor.name, &tensor);
    for (const Arena::Entry& entry : model->arena.entries()) {
        const Tensor& flat = entry.kind == StateKind::parameter ? model->arena.values() : model->arena.buffers();
        const auto to = model->arena.part(flat, entry).span<float>();
        if (entry.name.starts_with("encoder.")) {
            const auto found = encoder.find(entry.name);
            if (found == encoder.end()) throw Error(file, "expected a tensor for {}, found none", entry.name);
            encoder_.read(*found->second, to);
            continue;
        }
        std::vector<float> published(to.size());
        encoder_.checkpoint()
            .find(prefix_ + published_decoder_name(description_.network.decoder, entry.name))
            ->read(published);
        to_karyon_layout(layout_, laid_out(entry.shape), published, to);
    }
    return model;
}

}  // namespace karyon
