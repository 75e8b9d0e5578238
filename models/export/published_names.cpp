#include "models/export/published_names.h"

#include "kernels/error.h"
#include "tensor/safetensors.h"

namespace karyon {
namespace {

Source same_conventions(const EncoderDescription& d, Dialect to, const std::string& file) {
    const EfficientNetOptions& o = d.network;
    const bool has_lite = to == Dialect::timm || to == Dialect::lukemelas;
    const bool sized = o.padding_size > 0 && to != Dialect::lukemelas;
    if (!efficientnet_is_lite(o.member) || has_lite)
        for (const Source& published : published_sources())
            if (const Source source = source_for(published, o.member); source.dialect == to && !sized &&
                                                                       source.padding == o.padding &&
                                                                       source.batch_norm.eps == o.batch_norm.eps)
                return source;
    throw Error(
        file,
        "expected an efficientnet_{} that {} has, found one with {} padding{} and a batch norm eps of {:g}: with "
        "its tensors the network there would compute something else",
        o.member, name_of(to), o.padding == PaddingKind::same ? "same" : "symmetric",
        o.padding_size > 0 ? fmt::format(" fixed for {}", o.padding_size) : "", o.batch_norm.eps);
}

}  // namespace

Source export_encoder(const PublishedEncoder& encoder, Dialect to, const std::filesystem::path& path) {
    encoder.require_complete();
    const Source source = same_conventions(encoder.description(), to, encoder.checkpoint().path().string());
    std::vector<Tensor> values;
    std::vector<SafetensorsItem> items;
    for (const EncoderTensor& tensor : encoder.tensors()) {
        std::vector<float> ours(std::size_t(element_count(tensor.shape)));
        encoder.read(tensor, ours);
        values.push_back(Tensor::empty(published_shape(to, tensor)));
        to_published_layout(to, tensor, ours, values.back().span<float>());
        items.push_back({published_name(to, tensor), DType::f32, values.back().shape(), values.back().raw()});
    }
    write_safetensors(path, items, {{"source", source.name}, {"model", "efficientnet_" + encoder.network().member}});
    return source;
}

}  // namespace karyon
