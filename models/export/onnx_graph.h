#pragma once

#include <map>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "models/export/protobuf.h"
#include "tensor/tensor.h"

namespace karyon {

/// A graph of ONNX operators (onnx.ai, IR version 7, operator set 13). Values are known by their names.
class OnnxGraph {
  public:
    using Attribute = std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>>;
    using Attributes = std::map<std::string, Attribute>;
    /// A size, or the name of one that is known when the graph runs.
    using Dimension = std::variant<std::int64_t, std::string>;

    void input(const std::string& name, const std::vector<Dimension>& shape);
    void output(const std::string& name, const std::vector<Dimension>& shape);
    std::string constant(const std::string& name, const Shape&, std::span<const float>);
    std::string constant(const std::string& name, std::span<const std::int64_t>);
    /// Returns the name of its result: the operator's with a number, or the one given.
    std::string node(const std::string& op, const std::vector<std::string>& inputs, const Attributes& = {},
                     std::string result = "");

    /// The file. Text by key is kept beside the graph.
    std::string model(const std::string& name, const std::map<std::string, std::string>& metadata) const;

  private:
    ProtoMessage nodes_, constants_, inputs_, outputs_;
    std::map<std::string, int> count_;  ///< of each operator
};

}  // namespace karyon
