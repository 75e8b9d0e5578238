#include "models/export/onnx.h"

#include "models/export/onnx_layers.h"
#include "tensor/atomic_file.h"

namespace karyon {
namespace {

using Map = OnnxLayers::Map;
using Step = OnnxLayers::Step;

constexpr int kStages = 5;

class UnetWriter {
  public:
    explicit UnetWriter(const Model& model) : model_(model), o_(model.description.network), layers_(graph_, model) {}

    std::string write() {
        const bool any_size = o_.view == View::local;
        const int local = o_.local, wide = o_.local + 2 * o_.margin;
        Map x;
        if (o_.view != View::wide) x = image("local", local, any_size);
        if (o_.view != View::local) {
            const Map global = image("global", wide, false);
            x = o_.view == View::wide ? global : layers_.concat(x, layers_.resized(global, local, local));
        }
        const Map input = x;
        Map y = decode(encode(x));
        if (o_.tail) y = layers_.residual(layers_.concat(y, input), "tail");
        y = layers_.convolution(y, "output", {});
        if (o_.view == View::wide) y = layers_.cropped(y, o_.margin);
        graph_.node("Identity", {y.value}, {}, "logits");
        graph_.node("Sigmoid", {"logits"}, {}, "probability");
        for (const std::string name : {"logits", "probability"})
            graph_.output(name, any_size ? dimensions(1) : dimensions(1, local));
        return graph_.model("unet_efficientnet_" + o_.encoder, {{kDescriptionKey, to_json(model_.description)}});
    }

  private:
    struct Features {
        Map bottom;
        std::vector<Map> skips;  ///< /16, /8, /4, /2
    };

    static std::vector<OnnxGraph::Dimension> dimensions(std::int64_t channels) {
        return {"batch", channels, "height", "width"};
    }
    static std::vector<OnnxGraph::Dimension> dimensions(std::int64_t channels, std::int64_t side) {
        return {"batch", channels, side, side};
    }

    /// (level / 255 - mean) / std.
    Map image(const std::string& name, int side, bool any_size) {
        graph_.input(name, any_size ? dimensions(3) : dimensions(3, side));
        const InputScaling& s = model_.description.scaling;
        float factor[3], offset[3];
        for (int c = 0; c < 3; ++c) {
            factor[c] = 1 / (255 * s.std[c]);
            offset[c] = -s.mean[c] / s.std[c];
        }
        const std::string scaled = graph_.node("Mul", {name, graph_.constant(name + ".factor", {1, 3, 1, 1}, factor)});
        return {graph_.node("Add", {scaled, graph_.constant(name + ".offset", {1, 3, 1, 1}, offset)}), side, side};
    }

    Features encode(Map x) {
        const bool keras = o_.decoder == DecoderForm::keras;
        const EfficientNet& encoder = model_.network.encoder();
        const Step f = efficientnet_is_lite(o_.encoder) ? Step::relu6 : Step::silu;
        const float eps = o_.encoder_batch_norm.eps;
        const auto normed = [&](const Map& y, const std::string& name, const Conv2d& conv) {
            return layers_.batch_norm(layers_.convolution(y, "encoder." + name, {conv.stride, conv.padding}),
                                      "encoder." + name + "_bn", eps, f);
        };
        Map y = normed(x, "stem", encoder.stem());
        const Map stem = y;
        std::vector<Map> ends, expansions;
        std::size_t block = 0;
        for (const EfficientNetStage& stage : encoder.stages()) {
            for (int i = 0; i < stage.repeats; ++i, ++block) {
                Map expansion;
                y = layers_.mbconv(y, "encoder.blocks." + std::to_string(block), encoder.blocks()[block].options(),
                                   &expansion);
                if (i == 0) expansions.push_back(expansion);
            }
            ends.push_back(y);
        }
        if (!keras) return {y, {ends[4], ends[2], ends[1], stem}};
        return {normed(y, "head", encoder.head()), {expansions[5], expansions[3], expansions[2], expansions[1]}};
    }

    Map decode(Features f) {
        const float eps = o_.decoder_batch_norm.eps;
        for (std::size_t i = 0; i < f.skips.size(); ++i)
            for (int j = 0; layers_.has(fmt::format("decoder.skips.{}.{}.conv1.weight", i, j)); ++j)
                f.skips[i] = layers_.residual(f.skips[i], fmt::format("decoder.skips.{}.{}", i, j));
        Map y = f.bottom;
        for (std::size_t i = 0; i < kStages; ++i) {
            y = layers_.upsampled(y);
            if (i < f.skips.size()) y = layers_.concat(y, f.skips[i]);
            for (const int j : {1, 2}) {
                const std::string stage = fmt::format("decoder.stages.{}.", i);
                y = layers_.convolution(y, fmt::format("{}conv{}", stage, j), {});
                y = layers_.batch_norm(y, fmt::format("{}bn{}", stage, j), eps, Step::relu);
            }
        }
        return y;
    }

    const Model& model_;
    const UnetOptions& o_;
    OnnxGraph graph_;
    OnnxLayers layers_;
};

}  // namespace

std::string onnx_model(const Model& model) { return UnetWriter(model).write(); }

void export_onnx(const Model& model, const std::filesystem::path& path) {
    const std::string bytes = onnx_model(model);
    AtomicFile file(path);
    file.write(bytes.data(), bytes.size());
    file.commit();
}

}  // namespace karyon
