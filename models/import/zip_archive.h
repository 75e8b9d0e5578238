#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "models/import/mapped_file.h"

namespace karyon {

/// A zip archive, read only. The directory is checked when it is opened: every entry lies within the file, none on
/// another, names are unique, entries are stored or deflated and not encrypted.
class ZipArchive {
  public:
    struct Entry {
        std::uint64_t begin = 0, packed = 0;  ///< the entry's bytes in the file
        std::uint64_t size = 0;               ///< unpacked
        bool deflated = false;
    };

    /// Throws Error naming `file`.
    ZipArchive(std::string file, MappedFile);

    const std::map<std::string, Entry, std::less<>>& entries() const { return entries_; }
    const Entry* find(std::string_view name) const;

    /// Bytes [first, first + count) of an entry, which must be within its size: a view of the file where it is stored,
    /// else unpacked into `unpacked`, which grows to `count` and no further, whatever the entry expands to.
    std::span<const std::byte> bytes(const Entry&, std::uint64_t first, std::size_t count,
                                     std::vector<std::byte>& unpacked) const;

  private:
    struct Directory {
        std::uint64_t begin = 0, size = 0, count = 0;
    };
    Directory find_directory() const;
    void read_directory(const Directory&);
    void locate(const std::string& name, Entry&) const;
    void check_disjoint() const;

    std::string file_;
    MappedFile mapped_;
    std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace karyon
