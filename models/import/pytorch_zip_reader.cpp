#include <algorithm>

#include "kernels/error.h"
#include "models/import/readers.h"
#include "models/import/state_dict.h"
#include "models/import/zip_archive.h"

namespace karyon {
namespace {

constexpr std::uint64_t kMaxPickle = 64 << 20;

/// The folder that the archive keeps everything in, with its slash: that of data.pkl.
std::string archive_folder(const std::string& file, const ZipArchive& zip) {
    for (const auto& [name, entry] : zip.entries())
        if (name == "data.pkl" || name.ends_with("/data.pkl")) return name.substr(0, name.size() - 8);
    const bool keras = zip.find("model.weights.h5") != nullptr;
    throw Error(file, "expected an archive of torch.save (data.pkl), found {}",
                keras ? "a .keras file: save it as .h5 instead" : "another zip archive");
}

}  // namespace

Checkpoint read_pytorch_zip(const std::filesystem::path& path, const MappedFile& mapped) {
    const std::string file = path.string();
    const auto zip = std::make_shared<const ZipArchive>(file, mapped);
    const std::string folder = archive_folder(file, *zip);
    std::vector<std::byte> unpacked;
    if (const auto* order = zip->find(folder + "byteorder")) {
        const auto text = zip->bytes(*order, 0, std::size_t(std::min<std::uint64_t>(order->size, 16)), unpacked);
        const std::string_view found(reinterpret_cast<const char*>(text.data()), text.size());
        if (found != "little") throw Error(file, "byteorder: expected \"little\", found {}", shown(found));
    }
    const ZipArchive::Entry& entry = *zip->find(folder + "data.pkl");
    if (entry.size > kMaxPickle)
        throw Error(file, "data.pkl: expected at most {} bytes, found {}", kMaxPickle, entry.size);
    const Pickle pickle(file, zip->bytes(entry, 0, std::size_t(entry.size), unpacked));

    const auto entry_of = [zip, folder, file](const TorchStorage& storage) -> const ZipArchive::Entry& {
        const auto* found = zip->find(folder + "data/" + storage.key);
        if (!found) throw Error(file, "expected the entry {}, found none", shown(folder + "data/" + storage.key));
        return *found;
    };
    const auto check = [&](const TorchStorage& storage) {
        const std::uint64_t bytes = storage.elements * size_of(storage.type), found = entry_of(storage).size;
        if (found < bytes)
            throw Error(file, "entry {}: expected {} elements of {} ({} bytes), found {} bytes",
                        shown(folder + "data/" + storage.key), storage.elements, name_of(storage.type), bytes, found);
    };
    const auto bytes = [zip, entry_of](const TorchStorage& storage, std::uint64_t first, std::size_t count,
                                       std::vector<std::byte>& space) {
        const std::size_t size = size_of(storage.type);
        return zip->bytes(entry_of(storage), first * size, count * size, space);
    };
    return Checkpoint(path, "pytorch zip", state_dict_tensors(file, pickle, check, bytes));
}

}  // namespace karyon
