#include "models/import/published_encoder.h"

#include <fmt/ranges.h>

#include <set>

#include "kernels/error.h"
#include "models/model.h"

namespace karyon {
namespace {

/// Counters of batch norm (PyTorch); the input scaling that keras.applications keeps as a layer: its variance is in
/// truth the deviation (tensorflow issue 49930), and the scaling of the source is what the weights were trained with.
bool is_ignored(const std::string& name) {
    return name.ends_with("num_batches_tracked") || name.starts_with("normalization");
}

}  // namespace

PublishedEncoder::PublishedEncoder(Checkpoint checkpoint, const EncoderHints& hints)
    : checkpoint_(std::move(checkpoint)) {
    const Match match = best_match();
    dialect_ = match.dialect;
    prefix_ = match.prefix;
    description_.network = match.network;
    tensors_ = encoder_tensors(match.network);
    compare();
    choose_source(hints);
}

void PublishedEncoder::compare() {
    std::set<std::string> used;
    for (const EncoderTensor& tensor : tensors_) {
        const std::string name = prefix_ + published_name(dialect_, tensor);
        used.insert(name);
        const CheckpointTensor* found = checkpoint_.find(name);
        const Shape shape = published_shape(dialect_, tensor);
        if (!found)
            missing_.push_back(name);
        else if (found->shape != shape || !is_real(found->type))
            misshaped_.push_back(difference(name, shape, *found));
    }
    for (const CheckpointTensor& tensor : checkpoint_.tensors())
        if (!used.contains(tensor.name)) (is_ignored(tensor.name) ? ignored_ : unused_).push_back(tensor.name);
}

void PublishedEncoder::choose_source(const EncoderHints& hints) {
    EfficientNetOptions& network = description_.network;
    const std::string file = checkpoint_.path().string();
    if (dialect_ == Dialect::karyon) {
        const auto& metadata = checkpoint_.metadata();
        const EfficientNetOptions found = network;
        if (const auto own = metadata.find(kEncoderKey); own != metadata.end()) {
            description_ = encoder_description_from_json(own->second, file);
        } else if (const auto model = metadata.find(kDescriptionKey); model != metadata.end()) {
            const ModelDescription d = description_from_json(model->second, file);
            description_.source = "karyon";
            network.padding = d.network.padding;
            network.padding_size = d.network.padding_size;
            network.batch_norm = d.network.encoder_batch_norm;
            description_.scaling = d.scaling;
        } else {
            throw Error(file, "expected a description of the network in the metadata, found none");
        }
        network.member = found.member, network.in_channels = found.in_channels;
        network.head = found.head, network.classes = found.classes;
        candidates_ = {{description_.source, dialect_, network.padding, network.batch_norm, description_.scaling, ""}};
        if (!hints.source.empty() && hints.source != description_.source)
            throw Error(file, "expected --source {}, as the file says of itself, found {}", description_.source,
                        hints.source);
    } else {
        candidates_ = possible_sources(dialect_, network.member, checkpoint_.path());
        if (!hints.source.empty()) {
            const Source& named = source_named(hints.source);
            if (named.dialect != dialect_)
                throw Error(file, "expected a source with the names of {}, found --source {}", name_of(dialect_),
                            named.name);
            candidates_ = {source_for(named, network.member)};
        }
        description_.source = candidates_.front().name;
        network.padding = candidates_.front().padding;
        network.batch_norm = candidates_.front().batch_norm;
        description_.scaling = candidates_.front().scaling;
    }
    if (hints.padding_size > 0) network.padding_size = hints.padding_size;
    if (network.padding_size > 0 && network.padding != PaddingKind::same)
        throw Error(file, "expected a fixed padding size for a network with SAME padding, found symmetric padding");
}

const EncoderDescription& PublishedEncoder::description() const {
    if (candidates_.size() == 1) return description_;
    const Source &a = candidates_[0], &b = candidates_[1];
    throw Error(
        checkpoint_.path().string(),
        "expected to know where the file comes from, found names that {} ({}) and {} ({}) share. They pad their "
        "strided layers differently and have another eps in batch norm ({} against {}): taken for the other one, "
        "the network runs and computes something else. Say --source {} or --source {}, or keep the published "
        "file name",
        a.name, a.about, b.name, b.about, a.batch_norm.eps, b.batch_norm.eps, a.name, b.name);
}

void PublishedEncoder::require_complete() const {
    if (missing_.empty() && misshaped_.empty()) return;
    throw Error(
        checkpoint_.path().string(),
        "expected the tensors of efficientnet_{} in the names of {}, found {} missing and {} of another shape; {}",
        network().member, name_of(dialect_), missing_.size(), misshaped_.size(),
        missing_.empty() ? misshaped_.front() : "first missing: " + missing_.front());
}

std::int64_t PublishedEncoder::parameters() const {
    std::int64_t count = 0;
    for (const EncoderTensor& tensor : tensors_)
        if (tensor.leaf == EncoderTensor::Leaf::weight || tensor.leaf == EncoderTensor::Leaf::bias)
            count += element_count(tensor.shape);
    return count;
}

void PublishedEncoder::read(const EncoderTensor& tensor, std::span<float> to) const {
    const CheckpointTensor* found = find(dialect_, prefix_, tensor);
    const std::string file = checkpoint_.path().string();
    if (!found) throw Error(file, "expected a tensor {}, found none", prefix_ + published_name(dialect_, tensor));
    if (found->shape != published_shape(dialect_, tensor) || std::int64_t(to.size()) != element_count(tensor.shape))
        throw Error(file, "tensor {}: expected {}, found {}", found->name, to_string(published_shape(dialect_, tensor)),
                    to_string(found->shape));
    std::vector<float> published(to.size());
    found->read(published);
    to_karyon_layout(dialect_, tensor, published, to);
}

}  // namespace karyon
