#pragma once

#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace karyon::test {

/// One field of a protocol buffer message.
struct ProtoField {
    int number = 0;
    std::uint64_t value = 0;  ///< of a varint, or the bits of a float
    std::string_view bytes;   ///< of text and messages

    float real() const {
        const auto bits = static_cast<std::uint32_t>(value);
        float result;
        std::memcpy(&result, &bits, sizeof(result));
        return result;
    }
};

/// The fields of a message in the order of the file. Stops with .at() out of range where it is damaged.
inline std::vector<ProtoField> fields_of(std::string_view bytes) {
    std::size_t at = 0;
    const auto varint = [&] {
        std::uint64_t value = 0;
        for (int shift = 0;; shift += 7) {
            const auto byte = static_cast<unsigned char>(bytes.at(at++));
            value |= std::uint64_t(byte & 0x7f) << shift;
            if (byte < 0x80) return value;
        }
    };
    std::vector<ProtoField> fields;
    while (at < bytes.size()) {
        const std::uint64_t tag = varint();
        ProtoField field{int(tag >> 3), 0, {}};
        if (tag % 8 == 0) {
            field.value = varint();
        } else if (tag % 8 == 2) {
            const auto size = std::size_t(varint());
            field.bytes = bytes.substr(at, size);
            at += size;
        } else {
            for (int i = 0; i < 4; ++i)
                field.value |= std::uint64_t(static_cast<unsigned char>(bytes.at(at++))) << 8 * i;
        }
        fields.push_back(field);
    }
    return fields;
}

/// The parts of an ONNX file that the tests look at; field numbers as in onnx.proto.
struct OnnxFile {
    struct Attribute {
        float real = 0;
        std::int64_t integer = 0;
        std::string text;
        std::vector<std::int64_t> integers;
    };
    struct Node {
        std::string op;
        std::vector<std::string> inputs, outputs;
        std::map<std::string, Attribute> attributes;
    };
    struct Constant {
        int type = 0;
        std::vector<std::int64_t> shape;
        std::string_view raw;
    };

    std::int64_t ir_version = 0, opset = 0;
    std::map<std::string, std::string> metadata;
    std::vector<Node> nodes;
    std::map<std::string, Constant> constants;
    std::map<std::string, std::vector<std::string>> inputs, outputs;  ///< name -> sizes, as text

    explicit OnnxFile(std::string_view bytes) {
        for (const ProtoField& f : fields_of(bytes)) {
            if (f.number == 1) ir_version = std::int64_t(f.value);
            if (f.number == 7) read_graph(f.bytes);
            if (f.number == 8)
                for (const ProtoField& id : fields_of(f.bytes))
                    if (id.number == 2) opset = std::int64_t(id.value);
            if (f.number == 14) {
                const auto entry = fields_of(f.bytes);
                metadata.emplace(entry.at(0).bytes, entry.at(1).bytes);
            }
        }
    }

  private:
    void read_graph(std::string_view bytes) {
        for (const ProtoField& f : fields_of(bytes)) {
            if (f.number == 1) nodes.push_back(node(f.bytes));
            if (f.number == 5) read_constant(f.bytes);
            if (f.number == 11) read_value(f.bytes, inputs);
            if (f.number == 12) read_value(f.bytes, outputs);
        }
    }

    static Node node(std::string_view bytes) {
        Node n;
        for (const ProtoField& f : fields_of(bytes)) {
            if (f.number == 1) n.inputs.emplace_back(f.bytes);
            if (f.number == 2) n.outputs.emplace_back(f.bytes);
            if (f.number == 4) n.op = f.bytes;
            if (f.number != 5) continue;
            std::string name;
            Attribute attribute;
            for (const ProtoField& a : fields_of(f.bytes)) {
                if (a.number == 1) name = a.bytes;
                if (a.number == 2) attribute.real = a.real();
                if (a.number == 3) attribute.integer = std::int64_t(a.value);
                if (a.number == 4) attribute.text = a.bytes;
                if (a.number == 8) attribute.integers.push_back(std::int64_t(a.value));
            }
            n.attributes.emplace(name, attribute);
        }
        return n;
    }

    void read_constant(std::string_view bytes) {
        Constant constant;
        std::string name;
        for (const ProtoField& f : fields_of(bytes)) {
            if (f.number == 1) constant.shape.push_back(std::int64_t(f.value));
            if (f.number == 2) constant.type = int(f.value);
            if (f.number == 8) name = f.bytes;
            if (f.number == 9) constant.raw = f.bytes;
        }
        constants.emplace(name, constant);
    }

    /// ValueInfoProto.type.tensor_type.shape.dim.
    static void read_value(std::string_view bytes, std::map<std::string, std::vector<std::string>>& to) {
        const auto value = fields_of(bytes);
        const auto tensor = fields_of(fields_of(value.at(1).bytes).at(0).bytes);
        std::vector<std::string> sizes;
        for (const ProtoField& dim : fields_of(tensor.at(1).bytes)) {
            const ProtoField size = fields_of(dim.bytes).at(0);
            sizes.push_back(size.number == 1 ? std::to_string(size.value) : std::string(size.bytes));
        }
        to.emplace(value.at(0).bytes, sizes);
    }
};

}  // namespace karyon::test
