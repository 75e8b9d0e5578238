#include "models/export/onnx_layers.h"

#include <cmath>

#include "kernels/error.h"

namespace karyon {
namespace {

using Map = OnnxLayers::Map;

/// The scale from `in` to `out`: an operator of ONNX multiplies by it and rounds down.
float scale_to(std::int64_t in, std::int64_t out) {
    float scale = float(double(out) / double(in));
    while (std::floor(scale * float(in)) < float(out)) scale = std::nextafter(scale, 1e9f);
    return scale;
}

}  // namespace

OnnxLayers::OnnxLayers(OnnxGraph& graph, const Model& model) : graph_(graph), model_(model) {
    for (const Arena::Entry& entry : model.arena.entries()) entries_.emplace(entry.name, &entry);
}

const Arena::Entry& OnnxLayers::entry(const std::string& name) const {
    const auto found = entries_.find(name);
    if (found == entries_.end()) throw Error("onnx", "expected a tensor {} in the network, found none", name);
    return *found->second;
}

std::string OnnxLayers::weight(const std::string& name, const Shape& shape, const std::vector<std::size_t>& order) {
    const Arena::Entry& e = entry(name);
    const Tensor part =
        model_.arena.part(e.kind == StateKind::parameter ? model_.arena.values() : model_.arena.buffers(), e);
    const auto values = part.span<float>();
    if (order.empty()) return graph_.constant(name, shape, values);
    std::vector<std::size_t> strides(order.size(), 1);
    for (std::size_t axis = order.size() - 1; axis-- > 0;)
        strides[axis] = strides[axis + 1] * std::size_t(e.shape[axis + 1]);
    std::vector<float> moved(values.size());
    for (std::size_t i = 0; i < moved.size(); ++i) {
        std::size_t rest = i, from = 0;
        for (std::size_t axis = order.size(); axis-- > 0;) {
            const auto size = std::size_t(e.shape[order[axis]]);
            from += rest % size * strides[order[axis]];
            rest /= size;
        }
        moved[i] = values[from];
    }
    return graph_.constant(name, shape, moved);
}

Map OnnxLayers::windowed(const Map& x, const std::vector<std::string>& inputs, int kernel, Window window,
                         std::int64_t group) {
    const kernels::Padding pad = padding_for(window.padding, x.height, x.width, kernel, window.stride);
    const std::vector<std::int64_t> pads{pad.top, pad.left, pad.bottom, pad.right}, sides{kernel, kernel},
        strides{window.stride, window.stride};
    return {
        graph_.node("Conv", inputs, {{"group", group}, {"kernel_shape", sides}, {"pads", pads}, {"strides", strides}}),
        (x.height + pad.top + pad.bottom - kernel) / window.stride + 1,
        (x.width + pad.left + pad.right - kernel) / window.stride + 1};
}

Map OnnxLayers::convolution(const Map& x, const std::string& name, Window window) {
    const Shape& s = entry(name + ".weight").shape;
    std::vector<std::string> inputs{x.value, weight(name + ".weight", {s[0], s[3], s[1], s[2]}, {0, 3, 1, 2})};
    if (has(name + ".bias")) inputs.push_back(vector(name + ".bias"));
    return windowed(x, inputs, int(s[1]), window, 1);
}

Map OnnxLayers::depthwise(const Map& x, const std::string& name, Window window) {
    const Shape& s = entry(name + ".weight").shape;
    return windowed(x, {x.value, weight(name + ".weight", {s[2], 1, s[0], s[1]}, {2, 0, 1})}, int(s[0]), window, s[2]);
}

std::string OnnxLayers::activated(const std::string& value, Step step) {
    switch (step) {
        case Step::none:
            break;
        case Step::relu:
            return graph_.node("Relu", {value});
        case Step::silu:
            return graph_.node("Mul", {value, graph_.node("Sigmoid", {value})});
        case Step::relu6: {
            constexpr float low = 0, high = 6;
            const std::string name = value + ".bound";
            return graph_.node("Clip", {value, graph_.constant(name + ".low", {}, {&low, 1}),
                                        graph_.constant(name + ".high", {}, {&high, 1})});
        }
    }
    return value;
}

Map OnnxLayers::batch_norm(const Map& x, const std::string& name, float eps, Step step) {
    const std::string y = graph_.node("BatchNormalization",
                                      {x.value, vector(name + ".weight"), vector(name + ".bias"),
                                       vector(name + ".running_mean"), vector(name + ".running_var")},
                                      {{"epsilon", eps}});
    return {activated(y, step), x.height, x.width};
}

Map OnnxLayers::squeeze_excite(const Map& x, const std::string& name) {
    const auto matrix = [&](const std::string& value, const std::string& layer) {
        const Shape& s = entry(layer + ".weight").shape;
        return graph_.node("Conv", {value, weight(layer + ".weight", {s[0], s[1], 1, 1}), vector(layer + ".bias")});
    };
    std::string gate = graph_.node("GlobalAveragePool", {x.value});
    gate = activated(matrix(gate, name + ".reduce"), Step::silu);
    gate = graph_.node("Sigmoid", {matrix(gate, name + ".expand")});
    return {graph_.node("Mul", {x.value, gate}), x.height, x.width};
}

Map OnnxLayers::mbconv(const Map& x, const std::string& name, const MBConv::Options& o, Map* expansion) {
    const Step step = o.lite ? Step::relu6 : Step::silu;
    const float eps = o.batch_norm.eps;
    Map y = x;
    if (o.expand != 1) y = batch_norm(convolution(y, name + ".expand", {}), name + ".expand_bn", eps, step);
    *expansion = y;
    y = batch_norm(depthwise(y, name + ".depthwise", {o.stride, o.padding}), name + ".depthwise_bn", eps, step);
    if (!o.lite) y = squeeze_excite(y, name + ".se");
    y = batch_norm(convolution(y, name + ".project", {}), name + ".project_bn", eps, Step::none);
    if (o.stride == 1 && o.in == o.out) y.value = graph_.node("Add", {y.value, x.value});
    return y;
}

Map OnnxLayers::residual(const Map& x, const std::string& name) {
    const float eps = model_.description.network.decoder_batch_norm.eps;
    Map y = batch_norm(convolution(x, name + ".conv1", {}), name + ".bn1", eps, Step::relu);
    y = batch_norm(convolution(y, name + ".conv2", {}), name + ".bn2", eps, Step::none);
    Map shortcut = x;
    if (has(name + ".shortcut.weight"))
        shortcut = batch_norm(convolution(x, name + ".shortcut", {}), name + ".shortcut_bn", eps, Step::none);
    y.value = activated(graph_.node("Add", {y.value, shortcut.value}), Step::relu);
    return y;
}

Map OnnxLayers::concat(const Map& a, const Map& b) {
    return {graph_.node("Concat", {a.value, b.value}, {{"axis", std::int64_t(1)}}), a.height, a.width};
}

std::string OnnxLayers::scales(const std::string& name, float height, float width) {
    const float values[] = {1, 1, height, width};
    return graph_.constant(name, {4}, values);
}

Map OnnxLayers::upsampled(const Map& x) {
    return {graph_.node("Resize", {x.value, "", scales(x.value + ".scales", 2, 2)},
                        {{"mode", std::string("nearest")},
                         {"coordinate_transformation_mode", std::string("asymmetric")},
                         {"nearest_mode", std::string("floor")}}),
            2 * x.height, 2 * x.width};
}

Map OnnxLayers::resized(const Map& x, std::int64_t height, std::int64_t width) {
    return {
        graph_.node("Resize",
                    {x.value, "", scales(x.value + ".scales", scale_to(x.height, height), scale_to(x.width, width))},
                    {{"mode", std::string("linear")}, {"coordinate_transformation_mode", std::string("half_pixel")}}),
        height, width};
}

Map OnnxLayers::cropped(const Map& x, int margin) {
    const std::int64_t begin[] = {margin, margin}, end[] = {x.height - margin, x.width - margin}, axes[] = {2, 3};
    const std::string name = x.value + ".crop";
    return {graph_.node("Slice", {x.value, graph_.constant(name + ".begin", begin), graph_.constant(name + ".end", end),
                                  graph_.constant(name + ".axes", axes)}),
            x.height - 2 * margin, x.width - 2 * margin};
}

}  // namespace karyon
