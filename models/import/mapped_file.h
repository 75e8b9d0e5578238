#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

namespace karyon {

/// A file mapped for reading: pages are loaded where they are looked at. Copies share the mapping.
class MappedFile {
  public:
    /// Throws Error for what is not a regular file that can be read.
    static MappedFile open(const std::filesystem::path&);

    std::span<const std::byte> bytes() const { return {mapped_.get(), size_}; }
    /// Pages that were looked at leave the memory of the process; looked at again, they are loaded again.
    void forget() const;

  private:
    std::shared_ptr<const std::byte> mapped_;
    std::size_t size_ = 0;
};

}  // namespace karyon
