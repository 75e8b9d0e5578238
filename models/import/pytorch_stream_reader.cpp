#include <cstring>
#include <map>
#include <set>

#include "kernels/error.h"
#include "models/import/readers.h"
#include "models/import/state_dict.h"

namespace karyon {
namespace {

using Kind = PickleValue::Kind;

/// 0x1950a86a20f9469cfc6c, little-endian.
constexpr std::string_view kMagic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);
constexpr std::int64_t kProtocol = 1001;

struct Place {
    std::span<const std::byte> bytes;
    std::uint64_t elements = 0;
};

/// The storages stand in the order of the keys, each behind its number of elements; how large an element is, only the
/// pickle says, so that a storage that no tensor uses cannot be stepped over.
std::map<std::string, Place, std::less<>> place_storages(const std::string& file, const Pickle& pickle,
                                                         const Pickle& keys, std::span<const std::byte> rest) {
    std::map<std::string, ElementType, std::less<>> types;
    for (std::uint32_t i = 0; i < pickle.count(); ++i)
        if (pickle.at(i).kind == Kind::persistent) {
            const TorchStorage storage = torch_storage(file, pickle, pickle.at(i));
            types.emplace(storage.key, storage.type);
        }
    if (keys.root().kind != Kind::list) throw Error(file, "expected a list of storage keys, found another value");
    std::map<std::string, Place, std::less<>> places;
    for (const auto item : keys.root().items) {
        const PickleValue& key = keys.at(item);
        const auto type = types.find(key.text);
        if (key.kind != Kind::text || type == types.end())
            throw Error(file, "expected the keys of storages that tensors use, found {}", shown(key.text));
        std::uint64_t elements = 0;
        if (rest.size() < sizeof(elements))
            throw Error(file, "storage {}: expected its size, found the end of the file", shown(key.text));
        std::memcpy(&elements, rest.data(), sizeof(elements));
        rest = rest.subspan(sizeof(elements));
        const std::size_t size = size_of(type->second);
        if (elements > rest.size() / size)
            throw Error(file, "storage {}: expected {} elements of {}, found {} bytes to the end of the file",
                        shown(key.text), elements, name_of(type->second), rest.size());
        if (!places.emplace(key.text, Place{rest.first(std::size_t(elements) * size), elements}).second)
            throw Error(file, "expected each storage once, found {} twice", shown(key.text));
        rest = rest.subspan(std::size_t(elements) * size);
    }
    return places;
}

}  // namespace

Checkpoint read_pytorch_stream(const std::filesystem::path& path, const MappedFile& mapped) {
    const std::string file = path.string();
    auto rest = mapped.bytes();
    const auto next = [&] {
        Pickle pickle(file, rest);
        rest = rest.subspan(pickle.size());
        return pickle;
    };
    if (next().root().text != kMagic) throw Error(file, "expected the magic number of torch.save, found another value");
    if (const Pickle version = next(); version.root().integer != kProtocol)
        throw Error(file, "expected version {} of torch.save's stream, found {}", kProtocol, version.root().integer);
    const Pickle system = next();
    if (const PickleValue* little = system.find(system.root(), "little_endian"); !little || little->integer != 1)
        throw Error(file, "little_endian: expected true, found {}", little ? "false" : "nothing");
    const Pickle pickle = next();
    const Pickle keys = next();

    const auto places =
        std::make_shared<const std::map<std::string, Place, std::less<>>>(place_storages(file, pickle, keys, rest));
    const auto check = [&](const TorchStorage& storage) {
        const auto place = places->find(storage.key);
        if (place == places->end() || place->second.elements < storage.elements)
            throw Error(file, "storage {}: expected {} elements, found {}", shown(storage.key), storage.elements,
                        place == places->end() ? 0 : place->second.elements);
    };
    const auto bytes = [mapped, places](const TorchStorage& storage, std::uint64_t first, std::size_t count,
                                        std::vector<std::byte>&) {
        const std::size_t size = size_of(storage.type);
        return places->at(storage.key).bytes.subspan(std::size_t(first) * size, count * size);
    };
    return Checkpoint(path, "pytorch stream", state_dict_tensors(file, pickle, check, bytes));
}

}  // namespace karyon
