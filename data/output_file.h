#pragma once

#include <cstdio>
#include <filesystem>

namespace karyon {

/// A file that appears under its name only when it is complete. It is written under a temporary name in the same
/// folder; commit renames it, and without commit it is removed. Every failure is an Error that names the file and the
/// reason.
class OutputFile {
  public:
    explicit OutputFile(std::filesystem::path);
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    ~OutputFile();

    std::FILE* stream() const { return stream_; }
    void commit();

  private:
    [[noreturn]] void fail() const;

    std::filesystem::path path_, temporary_;
    std::FILE* stream_ = nullptr;
    bool committed_ = false;
};

}  // namespace karyon
