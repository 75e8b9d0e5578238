#include "models/import/initialise.h"

#include <algorithm>
#include <map>

#include "kernels/error.h"

namespace karyon {
namespace {

std::map<std::string, const EncoderTensor*> by_name(const PublishedEncoder& from) {
    std::map<std::string, const EncoderTensor*> result;
    for (const EncoderTensor& tensor : from.tensors()) result.emplace(tensor.name, &tensor);
    return result;
}

void check_same_network(const EncoderDescription& d, const ModelDescription& model, const std::string& file) {
    const UnetOptions& o = model.network;
    const auto differs = [&](const char* field, const auto& wanted, const auto& found) {
        throw Error(file, "expected an encoder with {} {}, as the network to train has it, found {}", field, wanted,
                    found);
    };
    const auto padding_name = [](PaddingKind kind) { return kind == PaddingKind::same ? "same" : "symmetric"; };
    const EfficientNetOptions& n = d.network;
    if (n.member != o.encoder) differs("size", o.encoder, n.member);
    if (n.padding != o.padding) differs("padding", padding_name(o.padding), padding_name(n.padding));
    if (n.padding_size != o.padding_size) differs("padding size", o.padding_size, n.padding_size);
    if (n.batch_norm.eps != o.encoder_batch_norm.eps)
        differs("batch norm eps", o.encoder_batch_norm.eps, n.batch_norm.eps);
    if (!(d.scaling == model.scaling)) differs("input mean", model.scaling.mean[0], d.scaling.mean[0]);
}

/// [out,k,k,3] -> [out,k,k,6]: both views see the same filter, each at half weight.
void lay_over_both_views(std::span<const float> stem, std::span<float> to) {
    for (std::size_t tap = 0; tap * 3 < stem.size(); ++tap)
        for (std::size_t c = 0; c < 6; ++c) to[tap * 6 + c] = 0.5f * stem[tap * 3 + c % 3];
}

}  // namespace

EfficientNet load_encoder(const PublishedEncoder& from) {
    const EncoderDescription& description = from.description();
    from.require_complete();
    const UndefinedWeights undefined;
    Random random(0, 0);
    EfficientNet network(description.network, random);
    const auto tensors = by_name(from);
    network.visit("", [&](const std::string& name, Tensor& tensor, StateKind) {
        from.read(*tensors.at(name), tensor.span<float>());
    });
    return network;
}

void initialise_encoder(const PublishedEncoder& from, const Model& model) {
    const std::string file = from.checkpoint().path().string();
    from.require_complete();
    check_same_network(from.description(), model.description, file);
    const std::string prefix = "encoder.";
    const auto tensors = by_name(from);
    for (const Arena::Entry& entry : model.arena.entries()) {
        if (!entry.name.starts_with(prefix)) continue;
        const auto found = tensors.find(entry.name.substr(prefix.size()));
        if (found == tensors.end())
            throw Error(file, "expected a tensor for {}, found none (a checkpoint without its head?)", entry.name);
        const Tensor& flat = entry.kind == StateKind::parameter ? model.arena.values() : model.arena.buffers();
        const Shape& shape = found->second->shape;
        std::vector<float> values(std::size_t(element_count(shape)));
        if (shape == entry.shape) {
            from.read(*found->second, values);
        } else if (entry.name == prefix + "stem.weight" && shape.back() == 3 && entry.shape.back() == 6) {
            std::vector<float> stem(values.size());
            from.read(*found->second, stem);
            values.resize(2 * stem.size());
            lay_over_both_views(stem, values);
        } else {
            throw Error(file, "tensor {}: expected {}, found {}", entry.name, to_string(entry.shape), to_string(shape));
        }
        model.arena.part(flat, entry).copy_from_bytes(std::as_bytes(std::span(values)));
    }
}

void convert_encoder(const PublishedEncoder& from, const std::filesystem::path& out) {
    const EncoderDescription& description = from.description();
    from.require_complete();
    std::vector<Tensor> values;
    std::vector<SafetensorsItem> items;
    for (const EncoderTensor& tensor : from.tensors()) {
        values.push_back(Tensor::empty(tensor.shape));
        from.read(tensor, values.back().span<float>());
        items.push_back({tensor.name, DType::f32, tensor.shape, values.back().raw()});
    }
    write_safetensors(out, items, {{kEncoderKey, to_json(description)}});
}

}  // namespace karyon
