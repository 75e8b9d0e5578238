#include "models/import/encoder_tensors.h"

#include <algorithm>

namespace karyon {
namespace {

using Part = EncoderTensor::Part;
using Layer = EncoderTensor::Layer;
using Leaf = EncoderTensor::Leaf;

class Lister {
  public:
    std::vector<EncoderTensor> tensors;
    EncoderTensor at;  ///< where the next tensor stands

    void one(const std::string& name, Leaf leaf, bool batch_norm, Shape shape) {
        EncoderTensor tensor = at;
        tensor.leaf = leaf;
        tensor.batch_norm = batch_norm;
        tensor.name = name;
        tensor.shape = std::move(shape);
        tensors.push_back(std::move(tensor));
    }

    void batch_norm(const std::string& name, std::int64_t channels) {
        one(name + ".weight", Leaf::weight, true, {channels});
        one(name + ".bias", Leaf::bias, true, {channels});
        one(name + ".running_mean", Leaf::mean, true, {channels});
        one(name + ".running_var", Leaf::variance, true, {channels});
    }

    /// A convolution without bias and the batch norm behind it.
    void convolution(const std::string& name, Layer layer, Shape shape, std::int64_t channels) {
        at.layer = layer;
        one(name + ".weight", Leaf::weight, false, std::move(shape));
        batch_norm(name + "_bn", channels);
    }

    void matrix(const std::string& name, Layer layer, std::int64_t out, std::int64_t in) {
        at.layer = layer;
        one(name + ".weight", Leaf::weight, false, {out, in});
        one(name + ".bias", Leaf::bias, false, {out});
    }

    void block(const EfficientNetStage& stage, int in, bool lite) {
        const std::int64_t middle = std::int64_t(in) * stage.expand;
        const std::string prefix = "blocks." + std::to_string(at.block) + ".";
        if (stage.expand != 1) convolution(prefix + "expand", Layer::expand, {middle, 1, 1, in}, middle);
        convolution(prefix + "depthwise", Layer::depthwise, {stage.kernel, stage.kernel, middle}, middle);
        if (!lite) {
            const int reduced = std::max(1, in / 4);
            matrix(prefix + "se.reduce", Layer::se_reduce, reduced, middle);
            matrix(prefix + "se.expand", Layer::se_expand, middle, reduced);
        }
        convolution(prefix + "project", Layer::project, {stage.out, 1, 1, middle}, stage.out);
    }
};

}  // namespace

std::vector<EncoderTensor> encoder_tensors(const EfficientNetOptions& o) {
    Lister list;
    const std::vector<EfficientNetStage> stages = efficientnet_stages(o.member);
    const std::int64_t stem = efficientnet_stem_channels(o.member), head = efficientnet_head_channels(o.member);
    list.convolution("stem", Layer::other, {stem, 3, 3, o.in_channels}, stem);
    list.at.part = Part::block;
    for (const EfficientNetStage& stage : stages) {
        list.at.stage = int(&stage - stages.data());
        list.at.expands = stage.expand != 1;
        for (int i = 0; i < stage.repeats; ++i, ++list.at.block) {
            list.at.in_stage = i;
            list.block(stage, i == 0 ? stage.in : stage.out, efficientnet_is_lite(o.member));
        }
    }
    if (!o.head && o.classes == 0) return list.tensors;
    list.at.part = Part::head;
    list.convolution("head", Layer::other, {head, 1, 1, stages.back().out}, head);
    if (o.classes == 0) return list.tensors;
    list.at.part = Part::classifier;
    list.matrix("classifier", Layer::other, o.classes, head);
    return list.tensors;
}

}  // namespace karyon
