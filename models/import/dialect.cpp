#include "models/import/dialect.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace karyon {
namespace {

using Part = EncoderTensor::Part;
using Layer = EncoderTensor::Layer;
using Leaf = EncoderTensor::Leaf;

const char* torch_leaf(Leaf leaf) {
    constexpr const char* names[] = {"weight", "bias", "running_mean", "running_var"};
    return names[std::size_t(leaf)];
}

/// What a part is called in one dialect: the layer, and the batch norm behind it.
struct PartNames {
    const char *layer, *batch_norm;
};
const char* pick(const EncoderTensor& t, PartNames names) { return t.batch_norm ? names.batch_norm : names.layer; }

/// Without an expansion conv_pw is the projection, and the batch norms count from one earlier.
std::string timm_name(const EncoderTensor& t) {
    constexpr PartNames expanding[] = {
        {"conv_pw", "bn1"}, {"conv_dw", "bn2"}, {"se.conv_reduce", ""}, {"se.conv_expand", ""}, {"conv_pwl", "bn3"}};
    constexpr PartNames separable[] = {
        {"", ""}, {"conv_dw", "bn1"}, {"se.conv_reduce", ""}, {"se.conv_expand", ""}, {"conv_pw", "bn2"}};
    switch (t.part) {
        case Part::stem:
            return pick(t, {"conv_stem", "bn1"});
        case Part::head:
            return pick(t, {"conv_head", "bn2"});
        case Part::classifier:
            return "classifier";
        case Part::block:
            return fmt::format("blocks.{}.{}.{}", t.stage, t.in_stage,
                               pick(t, (t.expands ? expanding : separable)[std::size_t(t.layer)]));
    }
    return {};
}

std::string lukemelas_name(const EncoderTensor& t) {
    constexpr PartNames layers[] = {{"_expand_conv", "_bn0"},
                                    {"_depthwise_conv", "_bn1"},
                                    {"_se_reduce", ""},
                                    {"_se_expand", ""},
                                    {"_project_conv", "_bn2"}};
    switch (t.part) {
        case Part::stem:
            return pick(t, {"_conv_stem", "_bn0"});
        case Part::head:
            return pick(t, {"_conv_head", "_bn1"});
        case Part::classifier:
            return "_fc";
        case Part::block:
            return fmt::format("_blocks.{}.{}", t.block, pick(t, layers[std::size_t(t.layer)]));
    }
    return {};
}

/// torchvision counts what is there: a block without an expansion starts at its depthwise convolution.
std::string torchvision_name(const EncoderTensor& t) {
    switch (t.part) {
        case Part::stem:
            return pick(t, {"features.0.0", "features.0.1"});
        case Part::head:
            return pick(t, {"features.8.0", "features.8.1"});
        case Part::classifier:
            return "classifier.1";
        case Part::block:
            break;
    }
    const std::string block = fmt::format("features.{}.{}.block.", t.stage + 1, t.in_stage);
    const int first = t.expands ? 0 : -1;
    switch (t.layer) {
        case Layer::se_reduce:
            return fmt::format("{}{}.fc1", block, first + 2);
        case Layer::se_expand:
            return fmt::format("{}{}.fc2", block, first + 2);
        case Layer::project:
            return fmt::format("{}{}.{}", block, first + 3, t.batch_norm ? 1 : 0);
        default:
            return fmt::format("{}{}.{}", block, t.layer == Layer::expand ? 0 : first + 1, t.batch_norm ? 1 : 0);
    }
}

std::string keras_name(Dialect dialect, const EncoderTensor& t) {
    constexpr PartNames layers[] = {{"expand_conv", "expand_bn"},
                                    {"dwconv", "bn"},
                                    {"se_reduce", ""},
                                    {"se_expand", ""},
                                    {"project_conv", "project_bn"}};
    constexpr const char* norm_leaves[] = {"gamma", "beta", "moving_mean", "moving_variance"};
    std::string layer;
    switch (t.part) {
        case Part::stem:
            layer = pick(t, {"stem_conv", "stem_bn"});
            break;
        case Part::head:
            layer = pick(t, {"top_conv", "top_bn"});
            break;
        case Part::classifier:
            layer = dialect == Dialect::qubvel ? "probs" : "predictions";
            break;
        case Part::block:
            layer =
                fmt::format("block{}{}_{}", t.stage + 1, char('a' + t.in_stage), pick(t, layers[std::size_t(t.layer)]));
            break;
    }
    if (t.batch_norm) return layer + "/" + norm_leaves[std::size_t(t.leaf)];
    if (t.leaf == Leaf::bias) return layer + "/bias";
    return layer + (t.part == Part::block && t.layer == Layer::depthwise ? "/depthwise_kernel" : "/kernel");
}

bool is_keras(Dialect dialect) { return dialect == Dialect::qubvel || dialect == Dialect::keras; }

/// karyon's tensor with four axes [out, k, k, in] (depthwise [1, k, k, c]) and where each of them stands as published.
struct Axes {
    std::array<std::int64_t, 4> ours{1, 1, 1, 1};
    std::array<std::size_t, 4> published{0, 1, 2, 3};
};

Axes axes_of(Dialect dialect, const EncoderTensor& t) {
    const Shape& s = t.shape;
    Axes axes;
    if (s.size() == 4) axes.ours = {s[0], s[1], s[2], s[3]};
    if (s.size() == 3) axes.ours = {1, s[0], s[1], s[2]};
    if (s.size() == 2) axes.ours = {s[0], 1, 1, s[1]};
    const bool depthwise = s.size() == 3;
    if (is_keras(dialect))
        axes.published = {1, 2, 3, 0};
    else
        axes.published = depthwise ? std::array<std::size_t, 4>{3, 0, 1, 2} : std::array<std::size_t, 4>{0, 3, 1, 2};
    return axes;
}

bool as_it_is(Dialect dialect, const EncoderTensor& t) { return dialect == Dialect::karyon || t.shape.size() == 1; }

/// Calls visit(index in our layout, index in the published one) for every element.
template <typename Visit>
void for_each_element(Dialect dialect, const EncoderTensor& t, Visit visit) {
    if (as_it_is(dialect, t)) {
        for (std::size_t i = 0; i < std::size_t(element_count(t.shape)); ++i) visit(i, i);
        return;
    }
    const Axes axes = axes_of(dialect, t);
    std::array<std::size_t, 4> strides{};  // of our axes, in the published elements
    std::size_t stride = 1;
    for (std::size_t i = 4; i-- > 0;) {
        strides[axes.published[i]] = stride;
        stride *= std::size_t(axes.ours[axes.published[i]]);
    }
    std::size_t at = 0;
    const auto& n = axes.ours;
    for (std::size_t a = 0; a < std::size_t(n[0]); ++a)
        for (std::size_t b = 0; b < std::size_t(n[1]); ++b)
            for (std::size_t c = 0; c < std::size_t(n[2]); ++c)
                for (std::size_t d = 0; d < std::size_t(n[3]); ++d, ++at)
                    visit(at, a * strides[0] + b * strides[1] + c * strides[2] + d * strides[3]);
}

}  // namespace

std::string name_of(Dialect dialect) {
    constexpr const char* names[] = {"karyon", "timm", "lukemelas", "torchvision", "qubvel", "keras"};
    return names[std::size_t(dialect)];
}

std::string published_name(Dialect dialect, const EncoderTensor& t) {
    switch (dialect) {
        case Dialect::karyon:
            return t.name;
        case Dialect::timm:
            return timm_name(t) + "." + torch_leaf(t.leaf);
        case Dialect::lukemelas:
            return lukemelas_name(t) + "." + torch_leaf(t.leaf);
        case Dialect::torchvision:
            return torchvision_name(t) + "." + torch_leaf(t.leaf);
        case Dialect::qubvel:
        case Dialect::keras:
            return keras_name(dialect, t);
    }
    return {};
}

Shape published_shape(Dialect dialect, const EncoderTensor& t) {
    if (as_it_is(dialect, t)) return t.shape;
    const Axes axes = axes_of(dialect, t);
    if (t.part == Part::classifier)
        return is_keras(dialect) ? Shape{t.shape[1], t.shape[0]} : Shape{t.shape[0], t.shape[1]};
    Shape shape;
    for (const std::size_t axis : axes.published) shape.push_back(axes.ours[axis]);
    return shape;
}

void to_karyon_layout(Dialect dialect, const EncoderTensor& t, std::span<const float> from, std::span<float> to) {
    for_each_element(dialect, t, [&](std::size_t ours, std::size_t published) { to[ours] = from[published]; });
}

void to_published_layout(Dialect dialect, const EncoderTensor& t, std::span<const float> from, std::span<float> to) {
    for_each_element(dialect, t, [&](std::size_t ours, std::size_t published) { to[published] = from[ours]; });
}

}  // namespace karyon
