#include <array>
#include <cstring>

#include "kernels/error.h"
#include "models/import/readers.h"
#include "tensor/safetensors_header.h"

namespace karyon {
namespace {

struct NamedType {
    std::string_view name;
    ElementType type;
};
constexpr std::array<NamedType, 13> kTypes{{{"BOOL", ElementType::boolean},
                                            {"U8", ElementType::u8},
                                            {"I8", ElementType::i8},
                                            {"U16", ElementType::u16},
                                            {"I16", ElementType::i16},
                                            {"U32", ElementType::u32},
                                            {"I32", ElementType::i32},
                                            {"U64", ElementType::u64},
                                            {"I64", ElementType::i64},
                                            {"F16", ElementType::f16},
                                            {"BF16", ElementType::bf16},
                                            {"F32", ElementType::f32},
                                            {"F64", ElementType::f64}}};

ElementType type_of(const std::string& file, const SafetensorsDeclaration& tensor) {
    for (const NamedType& known : kTypes)
        if (known.name == tensor.type->name) return known.type;
    throw Error(file, "tensor {}: expected numbers of 16 to 64 bits or whole ones, found {}", shown(tensor.name),
                tensor.type->name);
}

}  // namespace

Checkpoint read_safetensors(const std::filesystem::path& path, const MappedFile& mapped) {
    constexpr std::size_t length_size = 8, max_header = 100'000'000;  // the limit of the format's own reader
    const auto bytes = mapped.bytes();
    const std::string file = path.string();
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), length_size);
    if (length > max_header || length > bytes.size() - length_size)
        throw Error(file, "expected a header within the file's {} bytes and below {}, found a length of {}",
                    bytes.size(), max_header, length);
    const auto data = bytes.subspan(length_size + length);
    SafetensorsHeader header = parse_safetensors_header(
        file, {reinterpret_cast<const char*>(bytes.data()) + length_size, std::size_t(length)}, data.size());

    std::vector<CheckpointTensor> tensors;
    for (SafetensorsDeclaration& tensor : header.tensors) {
        const ElementType type = type_of(file, tensor);
        const auto elements = data.subspan(tensor.begin, tensor.end - tensor.begin);
        tensors.push_back({std::move(tensor.name), type, std::move(tensor.shape),
                           [mapped, elements, type](std::span<float> to) { convert_to_float(type, elements, to); }});
    }
    return Checkpoint(path, "safetensors", std::move(tensors), std::move(header.metadata));
}

}  // namespace karyon
