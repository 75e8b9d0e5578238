#include <algorithm>

#include "kernels/error.h"
#include "models/import/published_encoder.h"

namespace karyon {
namespace {

using Part = EncoderTensor::Part;

const EncoderTensor& first_of(const std::vector<EncoderTensor>& tensors, Part part) {
    return *std::find_if(tensors.begin(), tensors.end(), [&](const EncoderTensor& t) { return t.part == part; });
}

/// What precedes `name` where the text ends in it at the start of a word: "encoder." in "encoder.stem.weight".
bool strip_name(const std::string& text, const std::string& name, std::string& prefix) {
    if (!text.ends_with(name)) return false;
    prefix = text.substr(0, text.size() - name.size());
    return prefix.empty() || prefix.ends_with('.');
}

/// Sizes of one axis, where the tensor has that rank; 0 else.
std::int64_t size_at(const CheckpointTensor* tensor, std::size_t rank, std::size_t axis) {
    return tensor && tensor->shape.size() == rank ? tensor->shape[axis] : 0;
}

constexpr std::int64_t kMaxChannels = 1024, kMaxClasses = 1 << 20;

}  // namespace

const CheckpointTensor* PublishedEncoder::find(Dialect dialect, const std::string& prefix,
                                               const EncoderTensor& tensor) const {
    return checkpoint_.find(prefix + published_name(dialect, tensor));
}

/// Head, classifier and input channels are as the file has them; the member is the one with most tensors in place.
void PublishedEncoder::consider(Dialect dialect, const std::string& prefix, Match& best) const {
    const bool keras = dialect == Dialect::qubvel || dialect == Dialect::keras;
    for (const std::string& member : efficientnet_members()) {
        const std::vector<EncoderTensor> all =
            encoder_tensors({.member = member, .in_channels = 3, .head = true, .classes = 1});
        const CheckpointTensor* stem = find(dialect, prefix, first_of(all, Part::stem));
        const std::int64_t channels = size_at(stem, 4, dialect == Dialect::karyon ? 3u : keras ? 2u : 1u);
        const std::int64_t classes = size_at(find(dialect, prefix, first_of(all, Part::classifier)), 2, keras ? 1 : 0);
        Match match{dialect, prefix, {.member = member}, 0, 0};
        match.network.in_channels = channels >= 1 && channels <= kMaxChannels ? int(channels) : 3;
        match.network.classes = classes <= kMaxClasses ? int(classes) : 0;
        match.network.head = find(dialect, prefix, first_of(all, Part::head)) != nullptr;
        if (!match.network.head) match.network.classes = 0;
        for (const EncoderTensor& tensor : encoder_tensors(match.network)) {
            const CheckpointTensor* found = find(dialect, prefix, tensor);
            ++match.expected;
            if (found && found->shape == published_shape(dialect, tensor)) ++match.found;
        }
        // A smaller member may be in place entirely inside a larger one: what it leaves out counts against it.
        if (match.found > best.found || (match.found == best.found && match.expected < best.expected)) best = match;
    }
}

PublishedEncoder::Match PublishedEncoder::best_match() const {
    const EncoderTensor stem = encoder_tensors({.member = "b0"}).front();
    Match best;
    for (const Dialect dialect : kDialects)
        for (const CheckpointTensor& tensor : checkpoint_.tensors())
            if (std::string prefix; strip_name(tensor.name, published_name(dialect, stem), prefix))
                consider(dialect, prefix, best);
    if (best.found == 0 || best.found < best.expected / 2)
        throw Error(checkpoint_.path().string(),
                    "expected an EfficientNet in the names of timm, lukemelas, torchvision, Keras or karyon, found {} "
                    "other tensors{}",
                    checkpoint_.tensors().size(),
                    checkpoint_.tensors().empty() ? "" : ", the first one " + shown(checkpoint_.tensors()[0].name));
    // Both Keras families have the same names but for the classifier; only keras.applications scales its input itself.
    if (best.dialect == Dialect::qubvel && best.network.classes == 0 && checkpoint_.find("normalization/mean"))
        best.dialect = Dialect::keras;
    return best;
}

}  // namespace karyon
