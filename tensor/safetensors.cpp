#include "tensor/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

#include "tensor/atomic_file.h"
#include "tensor/safetensors_header.h"

namespace karyon {
namespace {

static_assert(std::endian::native == std::endian::little,
              "safetensors is little-endian, and so is what karyon runs on");

constexpr std::size_t length_size = 8;
constexpr std::size_t max_header = 100'000'000;  // the limit of the format's own reader

struct Mapping {
    std::shared_ptr<const std::byte> bytes;
    std::size_t size = 0;
};

[[noreturn]] void fail_to(const std::string& file, const char* doing) {
    throw Error(file, "expected to {} it, got \"{}\"", doing, std::generic_category().message(errno));
}

Mapping map_file(const std::string& file) {
    // Non-blocking, so that a pipe is refused below instead of being waited for.
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) fail_to(file, "open");
    const std::unique_ptr<const int, void (*)(const int*)> closer(&descriptor, [](const int* d) { ::close(*d); });
    struct stat status {};
    if (::fstat(descriptor, &status) != 0) fail_to(file, "inspect");
    if (!S_ISREG(status.st_mode)) throw Error(file, "expected a regular file, got a folder or a special file");
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size < length_size) throw Error(file, "expected a safetensors file of at least 8 bytes, got {}", size);
    void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (address == MAP_FAILED) fail_to(file, "map");
    const auto unmap = [size](const std::byte* from) { ::munmap(const_cast<std::byte*>(from), size); };
    return {std::shared_ptr<const std::byte>(static_cast<const std::byte*>(address), unmap), size};
}

/// The header with its length in front, padded with spaces so that the data starts at a multiple of 8.
std::string header_text(const std::string& file, std::span<const SafetensorsItem> items, const Metadata& metadata) {
    nlohmann::ordered_json header = nlohmann::ordered_json::object();
    if (!metadata.empty()) header["__metadata__"] = metadata;
    std::size_t at = 0;
    for (const auto& item : items) {
        const auto& type = safetensors_type(item.dtype);
        const std::size_t end = at + byte_count(item.shape, type.size).value();
        header.push_back({item.name, {{"dtype", type.name}, {"shape", item.shape}, {"data_offsets", {at, end}}}});
        at = end;
    }
    std::string text;
    try {
        text = header.dump();
    } catch (const nlohmann::json::exception& error) {
        throw Error(file, "expected names and metadata in UTF-8, got other bytes: {}", error.what());
    }
    text.resize((text.size() + 7) / 8 * 8, ' ');
    if (text.size() > max_header)
        throw Error(file, "expected a header of at most {} bytes, got {}", max_header, text.size());
    const std::uint64_t length = text.size();
    return std::string(reinterpret_cast<const char*>(&length), length_size) + text;
}

void check_items(const std::string& file, std::span<const SafetensorsItem> items) {
    std::set<std::string_view> names{"__metadata__"};
    for (const auto& item : items) {
        if (!names.insert(item.name).second) throw Error(file, "expected each name once, got \"{}\" again", item.name);
        const auto bytes = byte_count(item.shape, size_of(item.dtype));
        if (!bytes || (*bytes > 0 && !item.data))
            throw Error(file, "tensor \"{}\": expected a shape and its data, got [{}] with {}", item.name,
                        fmt::join(item.shape, ", "), item.data ? "data" : "none");
    }
}

}  // namespace

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path) {
    const std::string file = path.string();
    const Mapping mapping = map_file(file);
    std::uint64_t length = 0;
    std::memcpy(&length, mapping.bytes.get(), length_size);
    if (length > max_header || length > mapping.size - length_size)
        throw Error(file, "expected a header within the file's {} bytes and below {}, got a length of {}", mapping.size,
                    max_header, length);
    const std::string_view json(reinterpret_cast<const char*>(mapping.bytes.get()) + length_size, length);

    SafetensorsFile result;
    result.path_ = path;
    result.mapped_ = mapping.bytes;
    result.data_begin_ = length_size + length;
    auto header = parse_safetensors_header(file, json, mapping.size - result.data_begin_);
    result.metadata_ = std::move(header.metadata);
    for (auto& tensor : header.tensors) {
        if (!tensor.type->dtype) {
            result.skipped_.emplace(tensor.name, tensor.type->name);
            continue;
        }
        result.by_name_.emplace(tensor.name, result.entries_.size());
        result.entries_.push_back(
            {std::move(tensor.name), *tensor.type->dtype, std::move(tensor.shape), tensor.begin, tensor.end});
    }
    return result;
}

const SafetensorsEntry* SafetensorsFile::find(std::string_view name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : &entries_[found->second];
}

const SafetensorsEntry& SafetensorsFile::entry(std::string_view name) const {
    if (const auto* found = find(name)) return *found;
    const auto other = skipped_.find(std::string(name));
    if (other != skipped_.end())
        throw Error(path_.string(), "tensor \"{}\": expected F32, BF16, U8 or I32, got {}", name, other->second);
    throw Error(path_.string(), "expected a tensor \"{}\", got none of that name", name);
}

std::span<const std::byte> SafetensorsFile::bytes(const SafetensorsEntry& entry) const {
    return {mapped_.get() + data_begin_ + entry.begin, entry.end - entry.begin};
}

void write_safetensors(const std::filesystem::path& path, std::span<const SafetensorsItem> items,
                       const Metadata& metadata) {
    const std::string file = path.string();
    check_items(file, items);
    const std::string header = header_text(file, items, metadata);
    AtomicFile out(path);
    out.write(header.data(), header.size());
    for (const auto& item : items) out.write(item.data, *byte_count(item.shape, size_of(item.dtype)));
    out.commit();
}

}  // namespace karyon
