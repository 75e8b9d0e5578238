#include "models/export/onnx_graph.h"

namespace karyon {
namespace {

// Numbers of onnx.proto, version 1.8 and later.
constexpr int kIrVersion = 7, kOpset = 13, kFloat = 1, kInt64 = 7;
enum ModelField { ir_version = 1, producer_name = 2, graph = 7, opset_import = 8, metadata_props = 14 };
enum GraphField { graph_node = 1, graph_name = 2, initializer = 5, graph_input = 11, graph_output = 12 };
enum NodeField { node_input = 1, node_output = 2, node_name = 3, op_type = 4, attribute = 5 };
enum AttributeField { attribute_name = 1, real = 2, integer = 3, text = 4, integers = 8, attribute_type = 20 };
enum AttributeType { type_float = 1, type_int = 2, type_string = 3, type_ints = 7 };
enum TensorField { dims = 1, data_type = 2, tensor_name = 8, raw_data = 9 };

ProtoMessage encoded(const std::string& name, const OnnxGraph::Attribute& value) {
    ProtoMessage message;
    message.bytes(attribute_name, name);
    if (const auto* one = std::get_if<std::int64_t>(&value)) {
        message.number(integer, *one);
        message.number(attribute_type, type_int);
    } else if (const auto* number = std::get_if<float>(&value)) {
        message.real(real, *number);
        message.number(attribute_type, type_float);
    } else if (const auto* string = std::get_if<std::string>(&value)) {
        message.bytes(text, *string);
        message.number(attribute_type, type_string);
    } else {
        for (const std::int64_t item : std::get<std::vector<std::int64_t>>(value)) message.number(integers, item);
        message.number(attribute_type, type_ints);
    }
    return message;
}

/// ValueInfoProto: name = 1, type = 2 { tensor_type = 1 { elem_type = 1, shape = 2 { dim = 1 } } }.
ProtoMessage value_info(const std::string& name, const std::vector<OnnxGraph::Dimension>& shape) {
    ProtoMessage sizes, tensor, type, value;
    for (const OnnxGraph::Dimension& dimension : shape) {
        ProtoMessage size;  // dim_value = 1, dim_param = 2
        if (const auto* known = std::get_if<std::int64_t>(&dimension))
            size.number(1, *known);
        else
            size.bytes(2, std::get<std::string>(dimension));
        sizes.message(1, size);
    }
    tensor.number(1, kFloat);
    tensor.message(2, sizes);
    type.message(1, tensor);
    value.bytes(1, name);
    value.message(2, type);
    return value;
}

ProtoMessage tensor(const std::string& name, int type, const Shape& shape, std::span<const std::byte> elements) {
    ProtoMessage message;
    for (const std::int64_t size : shape) message.number(dims, size);
    message.number(data_type, type);
    message.bytes(tensor_name, name);
    message.bytes(raw_data, {reinterpret_cast<const char*>(elements.data()), elements.size()});
    return message;
}

}  // namespace

void OnnxGraph::input(const std::string& name, const std::vector<Dimension>& shape) {
    inputs_.message(graph_input, value_info(name, shape));
}

void OnnxGraph::output(const std::string& name, const std::vector<Dimension>& shape) {
    outputs_.message(graph_output, value_info(name, shape));
}

std::string OnnxGraph::constant(const std::string& name, const Shape& shape, std::span<const float> values) {
    constants_.message(initializer, tensor(name, kFloat, shape, std::as_bytes(values)));
    return name;
}

std::string OnnxGraph::constant(const std::string& name, std::span<const std::int64_t> values) {
    constants_.message(initializer, tensor(name, kInt64, {std::int64_t(values.size())}, std::as_bytes(values)));
    return name;
}

std::string OnnxGraph::node(const std::string& op, const std::vector<std::string>& inputs, const Attributes& attributes,
                            std::string result) {
    const std::string name = op + "_" + std::to_string(count_[op]++);
    if (result.empty()) result = name;
    ProtoMessage message;
    for (const std::string& input : inputs) message.bytes(node_input, input);
    message.bytes(node_output, result);
    message.bytes(node_name, name);
    message.bytes(op_type, op);
    for (const auto& [key, value] : attributes) message.message(attribute, encoded(key, value));
    nodes_.message(graph_node, message);
    return result;
}

std::string OnnxGraph::model(const std::string& name, const std::map<std::string, std::string>& metadata) const {
    ProtoMessage whole, opset, file;
    whole.bytes(graph_name, name);
    // Messages that follow each other are one message.
    std::string body = whole.encoded();
    for (const ProtoMessage* part : {&nodes_, &constants_, &inputs_, &outputs_}) body += part->encoded();
    opset.bytes(1, "");
    opset.number(2, kOpset);
    file.number(ir_version, kIrVersion);
    file.bytes(producer_name, "karyon");
    file.message(opset_import, opset);
    for (const auto& [key, value] : metadata) {
        ProtoMessage entry;
        entry.bytes(1, key);
        entry.bytes(2, value);
        file.message(metadata_props, entry);
    }
    file.bytes(graph, body);
    return file.encoded();
}

}  // namespace karyon
