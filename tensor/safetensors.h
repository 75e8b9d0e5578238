#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/types.h"

namespace karyon {

/// The safetensors container (huggingface.co/docs/safetensors): u64 little-endian header length, a JSON header of
/// names, types, shapes and offsets, then the tensors back to back.
struct SafetensorsEntry {
    std::string name;
    DType dtype = DType::f32;
    std::vector<std::int64_t> shape;
    std::size_t begin = 0, end = 0;  ///< bytes, from the start of the data
};

using Metadata = std::map<std::string, std::string>;

/// A safetensors file, mapped for reading. Everything is checked when it is opened: a file that opens has known types,
/// sizes that match shapes, and data without overlaps, holes or excess.
class SafetensorsFile {
  public:
    /// Throws Error, which names the file, the tensor and the field.
    static SafetensorsFile open(const std::filesystem::path& path);

    /// Tensors of the types that karyon holds, in the order of the data.
    const std::vector<SafetensorsEntry>& entries() const { return entries_; }
    /// Names of the tensors of other known types (F64, F16, I64, ...), with the type.
    const std::map<std::string, std::string>& skipped() const { return skipped_; }
    const Metadata& metadata() const { return metadata_; }

    bool contains(std::string_view name) const { return find(name) != nullptr; }
    /// Throws Error when there is no such tensor.
    const SafetensorsEntry& entry(std::string_view name) const;
    /// The tensor's little-endian bytes, valid as long as this object or a copy. They may be unaligned: copy them out.
    std::span<const std::byte> bytes(std::string_view name) const { return bytes(entry(name)); }
    std::span<const std::byte> bytes(const SafetensorsEntry& entry) const;

  private:
    const SafetensorsEntry* find(std::string_view name) const;

    std::filesystem::path path_;
    std::shared_ptr<const std::byte> mapped_;
    std::size_t data_begin_ = 0;
    std::vector<SafetensorsEntry> entries_;
    std::map<std::string, std::size_t, std::less<>> by_name_;
    std::map<std::string, std::string> skipped_;
    Metadata metadata_;
};

/// A tensor to write: contiguous elements at `data`, which may be null when the shape holds none.
struct SafetensorsItem {
    std::string name;
    DType dtype = DType::f32;
    std::vector<std::int64_t> shape;
    const void* data = nullptr;
};

/// Writes the items in their order, through a temporary file: an existing file survives any failure. The bytes depend
/// on the arguments only. Throws Error on a repeated name, a negative dimension, text that is not UTF-8, or a failing
/// disk.
void write_safetensors(const std::filesystem::path& path, std::span<const SafetensorsItem> items,
                       const Metadata& metadata = {});

}  // namespace karyon
