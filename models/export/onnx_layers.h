#pragma once

#include "models/export/onnx_graph.h"
#include "models/model.h"

namespace karyon {

/// Layers of a model as ONNX operators. Their tensors are taken from the model by name; ONNX lays images out as NCHW,
/// and dense and depthwise weights as [out,in,k,k] and [c,1,k,k].
class OnnxLayers {
  public:
    /// The value of a graph, and the size of its image, from which padding follows.
    struct Map {
        std::string value;
        std::int64_t height = 0, width = 0;
    };
    enum class Step : unsigned char { none, relu, silu, relu6 };
    struct Window {
        int stride = 1;
        PaddingKind padding = PaddingKind::symmetric;
    };

    OnnxLayers(OnnxGraph& graph, const Model& model);

    bool has(const std::string& name) const { return entries_.contains(name); }

    /// NAME.weight, and NAME.bias where it is there.
    Map convolution(const Map& x, const std::string& name, Window);
    Map depthwise(const Map& x, const std::string& name, Window);
    Map batch_norm(const Map& x, const std::string& name, float eps, Step);
    Map squeeze_excite(const Map& x, const std::string& name);
    /// `expansion` receives what follows the expansion.
    Map mbconv(const Map& x, const std::string& name, const MBConv::Options&, Map* expansion);
    Map residual(const Map& x, const std::string& name);
    Map concat(const Map& a, const Map& b);
    Map upsampled(const Map& x);  ///< nearest, to twice the size
    Map resized(const Map& x, std::int64_t height, std::int64_t width);
    Map cropped(const Map& x, int margin);

  private:
    const Arena::Entry& entry(const std::string& name) const;
    /// A constant of that shape with the elements of a tensor, whose axes stand in the given order.
    std::string weight(const std::string& name, const Shape& shape, const std::vector<std::size_t>& order = {});
    std::string vector(const std::string& name) { return weight(name, entry(name).shape); }
    Map windowed(const Map& x, const std::vector<std::string>& inputs, int kernel, Window, std::int64_t group);
    std::string activated(const std::string& value, Step);
    std::string scales(const std::string& name, float height, float width);

    OnnxGraph& graph_;
    const Model& model_;
    std::map<std::string, const Arena::Entry*> entries_;
};

}  // namespace karyon
