#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace karyon {

/// A file that appears whole or not at all: bytes go to `PATH.tmp-...` in the same folder, and commit() renames it to
/// PATH once they are on the disk. Until then whatever stood at PATH stays as it was.
///
/// Every failure throws Error with the path and the system's reason; the destructor removes what was not committed.
class AtomicFile {
  public:
    /// Throws when the folder cannot be written, or when something other than a regular file stands at `path`.
    explicit AtomicFile(std::filesystem::path path);
    ~AtomicFile();
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    void write(const void* data, std::size_t size);
    /// Syncs the file, renames it, syncs the folder.
    void commit();

  private:
    [[noreturn]] void fail(const char* doing) const;
    void open_temporary();
    void sync_folder() const;

    std::filesystem::path path_, temporary_;
    int descriptor_ = -1;
};

}  // namespace karyon
