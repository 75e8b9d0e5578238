#include "models/import/checkpoint.h"

#include "kernels/error.h"
#include "models/import/readers.h"

namespace karyon {
namespace {

bool starts_with(std::span<const std::byte> bytes, std::string_view magic) {
    return bytes.size() >= magic.size() &&
           std::string_view(reinterpret_cast<const char*>(bytes.data()), magic.size()) == magic;
}

Checkpoint read_mapped(const std::filesystem::path& path, const MappedFile& file) {
    const auto bytes = file.bytes();
    using namespace std::string_view_literals;
    if (starts_with(bytes, "PK\x03\x04"sv)) return read_pytorch_zip(path, file);
    if (starts_with(bytes, "\x80"sv)) return read_pytorch_stream(path, file);
    if (bytes.size() > 8 && bytes[8] == std::byte('{')) return read_safetensors(path, file);
    throw Error(path.string(),
                "expected a checkpoint (safetensors, PyTorch .pth, Keras .h5), found other first bytes: {}",
                shown({reinterpret_cast<const char*>(bytes.data()), std::min<std::size_t>(bytes.size(), 8)}));
}

}  // namespace

Checkpoint Checkpoint::open(const std::filesystem::path& path) {
    const MappedFile file = MappedFile::open(path);
    const auto bytes = file.bytes();
    using namespace std::string_view_literals;
    if (starts_with(bytes, "\x89HDF\r\n\x1a\n"sv)) return read_hdf5(path);
    Checkpoint checkpoint = read_mapped(path, file);
    // A network is loaded tensor by tensor: beside it one of them is in memory, not the whole file.
    for (CheckpointTensor& tensor : checkpoint.tensors_)
        tensor.read = [file, read = std::move(tensor.read)](std::span<float> to) {
            read(to);
            file.forget();
        };
    return checkpoint;
}

Checkpoint::Checkpoint(std::filesystem::path path, std::string container, std::vector<CheckpointTensor> tensors,
                       std::map<std::string, std::string> metadata)
    : path_(std::move(path)),
      container_(std::move(container)),
      tensors_(std::move(tensors)),
      metadata_(std::move(metadata)) {
    for (std::size_t i = 0; i < tensors_.size(); ++i)
        if (!by_name_.emplace(tensors_[i].name, i).second)
            throw Error(path_.string(), "expected each tensor once, found {} twice", shown(tensors_[i].name));
}

const CheckpointTensor* Checkpoint::find(std::string_view name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : &tensors_[found->second];
}

std::string difference(const std::string& name, const Shape& expected, const CheckpointTensor& found) {
    return fmt::format("{}: expected {} of real numbers, found {} of {}", name, to_string(expected),
                       to_string(found.shape), name_of(found.type));
}

std::string shown(std::string_view text) {
    std::string result = "\"";
    for (const char c : text.substr(0, 120)) {
        if (c >= ' ' && c <= '~')
            result += c;
        else
            result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
    return result + (text.size() > 120 ? "...\"" : "\"");
}

}  // namespace karyon
