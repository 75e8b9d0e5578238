#include "models/import/state_dict.h"

#include <array>
#include <limits>

#include "kernels/error.h"

namespace karyon {
namespace {

using Kind = PickleValue::Kind;

struct StorageType {
    std::string_view name;
    ElementType type;
};
constexpr std::array<StorageType, 10> kStorageTypes{{{"FloatStorage", ElementType::f32},
                                                     {"DoubleStorage", ElementType::f64},
                                                     {"HalfStorage", ElementType::f16},
                                                     {"BFloat16Storage", ElementType::bf16},
                                                     {"LongStorage", ElementType::i64},
                                                     {"IntStorage", ElementType::i32},
                                                     {"ShortStorage", ElementType::i16},
                                                     {"CharStorage", ElementType::i8},
                                                     {"ByteStorage", ElementType::u8},
                                                     {"BoolStorage", ElementType::boolean}}};

constexpr std::array<std::string_view, 7> kStateKeys{"state_dict", "model_state_dict", "model",  "state_dict_ema",
                                                     "net",        "module",           "weights"};
constexpr std::size_t kMaxRank = 8;

struct Layout {
    std::uint64_t first = 0, span = 0, elements = 0;  ///< in elements of the storage
    Shape shape, strides;
    bool contiguous = true;
};

Shape numbers(const std::string& file, const std::string& name, const Pickle& pickle, const PickleValue& value) {
    if (value.kind != Kind::tuple || value.items.size() > kMaxRank)
        throw Error(file, "tensor {}: expected a shape and strides of at most {} numbers, found other values",
                    shown(name), kMaxRank);
    Shape result;
    for (const auto item : value.items) {
        const PickleValue& number = pickle.at(item);
        if (number.kind != Kind::integer || !number.text.empty() || number.integer < 0)
            throw Error(file, "tensor {}: expected sizes and strides of at least 0, found other values", shown(name));
        result.push_back(number.integer);
    }
    return result;
}

/// Checks offset, shape and strides against the storage, with no product that could pass 64 bits.
Layout layout_of(const std::string& file, const std::string& name, const Pickle& pickle, const PickleValue& tensor,
                 const TorchStorage& storage) {
    Layout layout;
    const PickleValue& offset = pickle.at(tensor.items[1]);
    layout.shape = numbers(file, name, pickle, pickle.at(tensor.items[2]));
    layout.strides = numbers(file, name, pickle, pickle.at(tensor.items[3]));
    if (offset.kind != Kind::integer || !offset.text.empty() || offset.integer < 0 ||
        layout.strides.size() != layout.shape.size())
        throw Error(file, "tensor {}: expected an offset and a stride for each of {} sizes, found other values",
                    shown(name), layout.shape.size());
    layout.first = std::uint64_t(offset.integer);
    const auto outside = [&] {
        return Error(file, "tensor {}: expected {} from offset {} within a storage of {} elements, found it outside",
                     shown(name), to_string(layout.shape), layout.first, storage.elements);
    };
    layout.elements = 1;
    for (const auto size : layout.shape) {
        if (size > 0 && layout.elements > storage.elements / std::uint64_t(size)) throw outside();
        layout.elements *= std::uint64_t(size);
    }
    if (layout.first > storage.elements) throw outside();
    if (layout.elements == 0) return layout;
    layout.span = 1;
    std::int64_t dense = 1;
    for (std::size_t axis = layout.shape.size(); axis-- > 0;) {
        const auto steps = std::uint64_t(layout.shape[axis] - 1), stride = std::uint64_t(layout.strides[axis]);
        if (steps > 0 && stride > storage.elements / steps) throw outside();
        layout.span += steps * stride;
        layout.contiguous = layout.contiguous && (steps == 0 || layout.strides[axis] == dense);
        dense *= layout.shape[axis];
    }
    if (layout.span > storage.elements - layout.first) throw outside();
    return layout;
}

/// Row-major elements of a tensor that lies otherwise in `stored`.
void gather(const Layout& layout, std::span<const float> stored, std::span<float> to) {
    std::array<std::int64_t, kMaxRank> index{};
    std::int64_t at = 0;
    for (float& value : to) {
        value = stored[std::size_t(at)];
        for (std::size_t axis = layout.shape.size(); axis-- > 0;) {
            at += layout.strides[axis];
            if (++index[axis] < layout.shape[axis]) break;
            at -= layout.strides[axis] * layout.shape[axis];
            index[axis] = 0;
        }
    }
}

void read_elements(const Layout& layout, const TorchStorage& storage, const StorageBytes& bytes, std::span<float> to) {
    if (to.empty()) return;
    std::vector<std::byte> unpacked;
    const auto stored = bytes(storage, layout.first, std::size_t(layout.span), unpacked);
    if (layout.contiguous) return convert_to_float(storage.type, stored, to);
    std::vector<float> values(std::size_t(layout.span));
    convert_to_float(storage.type, stored, values);
    gather(layout, values, to);
}

bool holds_tensors(const Pickle& pickle, const PickleValue& dict) {
    if (dict.kind != Kind::dict) return false;
    for (std::size_t i = 1; i < dict.items.size(); i += 2)
        if (pickle.at(dict.items[i]).kind == Kind::tensor) return true;
    return false;
}

const PickleValue& state_of(const std::string& file, const Pickle& pickle) {
    for (const std::string_view key : kStateKeys)
        if (const PickleValue* state = pickle.find(pickle.root(), key); state && holds_tensors(pickle, *state))
            return *state;
    if (holds_tensors(pickle, pickle.root())) return pickle.root();
    throw Error(file, "expected a dict of tensors, or one of {} that holds it, found neither",
                fmt::join(kStateKeys, ", "));
}

}  // namespace

TorchStorage torch_storage(const std::string& file, const Pickle& pickle, const PickleValue& persistent) {
    const auto wrong = [&] {
        return Error(file, "expected a storage of a known type with a key and a size, found another reference");
    };
    if (persistent.kind != Kind::persistent) throw wrong();
    const PickleValue& id = pickle.at(persistent.items[0]);
    if (id.kind != Kind::tuple || id.items.size() < 5) throw wrong();
    const PickleValue &tag = pickle.at(id.items[0]), &type = pickle.at(id.items[1]), &key = pickle.at(id.items[2]),
                      &size = pickle.at(id.items[4]);
    if (tag.text != "storage" || type.kind != Kind::global || key.kind != Kind::text || size.kind != Kind::integer ||
        !size.text.empty() || size.integer < 0)
        throw wrong();
    if (id.items.size() > 5 && pickle.at(id.items[5]).kind != Kind::none)
        throw Error(file, "storage {}: expected it whole, found a view into another one", shown(key.text));
    for (const StorageType& known : kStorageTypes) {
        if (known.name != type.text) continue;
        if (std::uint64_t(size.integer) > std::numeric_limits<std::int64_t>::max() / size_of(known.type)) throw wrong();
        return {std::string(key.text), known.type, std::uint64_t(size.integer)};
    }
    throw wrong();
}

std::vector<CheckpointTensor> state_dict_tensors(const std::string& file, const Pickle& pickle,
                                                 const std::function<void(const TorchStorage&)>& check,
                                                 const StorageBytes& bytes) {
    const PickleValue& state = state_of(file, pickle);
    std::vector<CheckpointTensor> tensors;
    for (std::size_t i = 1; i < state.items.size(); i += 2) {
        const PickleValue &key = pickle.at(state.items[i - 1]), &tensor = pickle.at(state.items[i]);
        if (tensor.kind != Kind::tensor) continue;
        if (key.kind != Kind::text) throw Error(file, "expected text as the name of a tensor, found another value");
        std::string name(key.text);
        if (tensor.items.size() < 4)
            throw Error(file, "tensor {}: expected storage, offset, shape and strides, found {} values", shown(name),
                        tensor.items.size());
        const TorchStorage storage = torch_storage(file, pickle, pickle.at(tensor.items[0]));
        check(storage);
        const Layout layout = layout_of(file, name, pickle, tensor, storage);
        // A few elements picked out of a huge storage would cost its size in memory.
        if (layout.span / 4 > layout.elements)
            throw Error(file, "tensor {}: expected elements close to each other, found {} spread over {}", shown(name),
                        layout.elements, layout.span);
        tensors.push_back({std::move(name), storage.type, layout.shape, [layout, storage, bytes](std::span<float> to) {
                               read_elements(layout, storage, bytes, to);
                           }});
    }
    return tensors;
}

}  // namespace karyon
