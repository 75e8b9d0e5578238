#include "models/import/zip_archive.h"

#include <algorithm>
#include <cstring>

#include "kernels/error.h"
#include "models/import/checkpoint.h"
#include "models/import/inflate.h"

namespace karyon {
namespace {

// APPNOTE.TXT of PKWARE, 4.3: signatures and fixed sizes of the records.
constexpr std::uint32_t kLocalSignature = 0x04034b50, kCentralSignature = 0x02014b50, kEndSignature = 0x06054b50,
                        kEnd64Signature = 0x06064b50, kLocator64Signature = 0x07064b50;
constexpr std::size_t kLocalSize = 30, kCentralSize = 46, kEndSize = 22, kEnd64Size = 56, kLocator64Size = 20;
constexpr std::uint32_t kInExtra32 = 0xffffffff;
constexpr std::uint16_t kInExtra16 = 0xffff, kZip64Extra = 1;
constexpr std::uint64_t kMaxEntries = 1'000'000;

/// A little-endian number at `at`, which the caller has checked to lie within the bytes.
template <typename T>
T number(std::span<const std::byte> bytes, std::size_t at) {
    T value;
    std::memcpy(&value, bytes.data() + at, sizeof(T));
    return value;
}

/// Sizes and offset that do not fit 32 bits stand in the ZIP64 extra field, in this order, each only where it is
/// needed.
void read_zip64_extra(const std::string& file, std::span<const std::byte> extra, ZipArchive::Entry& entry) {
    const bool wanted = entry.size == kInExtra32 || entry.packed == kInExtra32 || entry.begin == kInExtra32;
    while (wanted && extra.size() >= 4) {
        const auto id = number<std::uint16_t>(extra, 0), length = number<std::uint16_t>(extra, 2);
        extra = extra.subspan(4);
        if (length > extra.size()) break;
        if (id == kZip64Extra) {
            auto fields = extra.first(length);
            for (std::uint64_t* value : {&entry.size, &entry.packed, &entry.begin}) {
                if (*value != kInExtra32) continue;
                if (fields.size() < 8) throw Error(file, "expected 8 bytes for a ZIP64 size, found {}", fields.size());
                *value = number<std::uint64_t>(fields, 0);
                fields = fields.subspan(8);
            }
            return;
        }
        extra = extra.subspan(length);
    }
}

}  // namespace

ZipArchive::ZipArchive(std::string file, MappedFile mapped) : file_(std::move(file)), mapped_(std::move(mapped)) {
    read_directory(find_directory());
    check_disjoint();
}

ZipArchive::Directory ZipArchive::find_directory() const {
    const auto bytes = mapped_.bytes();
    // The end record is last, but for a comment of at most 65535 bytes.
    const std::size_t lowest = bytes.size() < kEndSize + 65535 ? 0 : bytes.size() - kEndSize - 65535;
    for (std::size_t at = bytes.size() < kEndSize ? 0 : bytes.size() - kEndSize + 1; at-- > lowest;) {
        if (number<std::uint32_t>(bytes, at) != kEndSignature) continue;
        Directory directory{number<std::uint32_t>(bytes, at + 16), number<std::uint32_t>(bytes, at + 12),
                            number<std::uint16_t>(bytes, at + 10)};
        if (directory.begin != kInExtra32 && directory.size != kInExtra32 && directory.count != kInExtra16)
            return directory;
        if (at < kLocator64Size || number<std::uint32_t>(bytes, at - kLocator64Size) != kLocator64Signature)
            return directory;
        const auto end64 = number<std::uint64_t>(bytes, at - kLocator64Size + 8);
        if (bytes.size() < kEnd64Size || end64 > bytes.size() - kEnd64Size ||
            number<std::uint32_t>(bytes, std::size_t(end64)) != kEnd64Signature)
            throw Error(file_, "expected a ZIP64 end record within the file's {} bytes, found none at {}", bytes.size(),
                        end64);
        return {number<std::uint64_t>(bytes, std::size_t(end64) + 48),
                number<std::uint64_t>(bytes, std::size_t(end64) + 40),
                number<std::uint64_t>(bytes, std::size_t(end64) + 32)};
    }
    throw Error(file_, "expected the directory of a zip archive at the end of the file, found none (is it truncated?)");
}

void ZipArchive::read_directory(const Directory& directory) {
    const auto bytes = mapped_.bytes();
    if (directory.begin > bytes.size() || directory.size > bytes.size() - directory.begin)
        throw Error(file_, "expected the zip directory within the file's {} bytes, found {} bytes at {}", bytes.size(),
                    directory.size, directory.begin);
    if (directory.count > kMaxEntries || directory.count > directory.size / kCentralSize)
        throw Error(file_, "expected at most {} zip entries in a directory of {} bytes, found {}", kMaxEntries,
                    directory.size, directory.count);
    auto rest = bytes.subspan(std::size_t(directory.begin), std::size_t(directory.size));
    for (std::uint64_t i = 0; i < directory.count; ++i) {
        if (rest.size() < kCentralSize || number<std::uint32_t>(rest, 0) != kCentralSignature)
            throw Error(file_, "expected {} entries in the zip directory, found {}", directory.count, i);
        const std::size_t name_size = number<std::uint16_t>(rest, 28), extra_size = number<std::uint16_t>(rest, 30),
                          comment_size = number<std::uint16_t>(rest, 32);
        if (rest.size() - kCentralSize < name_size + extra_size + comment_size)
            throw Error(file_, "expected zip entry {} within the directory, found a longer one", i);
        const std::string name(reinterpret_cast<const char*>(rest.data()) + kCentralSize, name_size);
        const auto flags = number<std::uint16_t>(rest, 8), method = number<std::uint16_t>(rest, 10);
        if ((flags & 1) != 0) throw Error(file_, "zip entry {}: expected plain data, found encryption", shown(name));
        if (method != 0 && method != 8)
            throw Error(file_, "zip entry {}: expected it stored (0) or deflated (8), found method {}", shown(name),
                        method);
        Entry entry{number<std::uint32_t>(rest, 42), number<std::uint32_t>(rest, 20), number<std::uint32_t>(rest, 24),
                    method == 8};
        read_zip64_extra(file_, rest.subspan(kCentralSize + name_size, extra_size), entry);
        locate(name, entry);
        if (!entries_.emplace(name, entry).second)
            throw Error(file_, "expected each zip entry once, found {} twice", shown(name));
        rest = rest.subspan(kCentralSize + name_size + extra_size + comment_size);
    }
}

/// Turns the offset of the local header into that of the data behind it.
void ZipArchive::locate(const std::string& name, Entry& entry) const {
    const auto bytes = mapped_.bytes();
    if (bytes.size() < kLocalSize || entry.begin > bytes.size() - kLocalSize ||
        number<std::uint32_t>(bytes, std::size_t(entry.begin)) != kLocalSignature)
        throw Error(file_, "zip entry {}: expected its header within the file's {} bytes, found none at {}",
                    shown(name), bytes.size(), entry.begin);
    const auto at = std::size_t(entry.begin);
    entry.begin += kLocalSize + number<std::uint16_t>(bytes, at + 26) + number<std::uint16_t>(bytes, at + 28);
    if (entry.begin > bytes.size() || entry.packed > bytes.size() - entry.begin)
        throw Error(file_, "zip entry {}: expected its data within the file's {} bytes, found {} bytes at {}",
                    shown(name), bytes.size(), entry.packed, entry.begin);
    if (!entry.deflated && entry.packed != entry.size)
        throw Error(file_, "zip entry {}: expected a stored entry of {} bytes, found {}", shown(name), entry.size,
                    entry.packed);
    // Deflate cannot pack more than 1032 to 1.
    if (entry.deflated && entry.size / 1033 > entry.packed)
        throw Error(file_, "zip entry {}: expected at most 1032 bytes for each packed one, found {} for {}",
                    shown(name), entry.size, entry.packed);
}

void ZipArchive::check_disjoint() const {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
    for (const auto& [name, entry] : entries_)
        if (entry.packed > 0) ranges.emplace_back(entry.begin, entry.begin + entry.packed);
    std::sort(ranges.begin(), ranges.end());
    for (std::size_t i = 1; i < ranges.size(); ++i)
        if (ranges[i].first < ranges[i - 1].second)
            throw Error(file_, "expected zip entries beside each other, found two at byte {}", ranges[i].first);
}

const ZipArchive::Entry* ZipArchive::find(std::string_view name) const {
    const auto found = entries_.find(name);
    return found == entries_.end() ? nullptr : &found->second;
}

std::span<const std::byte> ZipArchive::bytes(const Entry& entry, std::uint64_t first, std::size_t count,
                                             std::vector<std::byte>& unpacked) const {
    if (first > entry.size || count > entry.size - first)
        throw Error(file_, "expected {} bytes at {} of a zip entry, found {} bytes in all", count, first, entry.size);
    const auto packed = mapped_.bytes().subspan(std::size_t(entry.begin), std::size_t(entry.packed));
    if (!entry.deflated) return packed.subspan(std::size_t(first), count);
    unpacked.resize(count);
    inflate_range(file_, packed, first, unpacked);
    return unpacked;
}

}  // namespace karyon
