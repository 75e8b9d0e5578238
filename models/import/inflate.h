#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace karyon {

/// Unpacks a raw deflate stream, drops its first `first` bytes, fills `out` with what follows, and stops there.
/// Throws Error naming `file` for a damaged stream and one that ends before `out` is full.
void inflate_range(const std::string& file, std::span<const std::byte> packed, std::uint64_t first,
                   std::span<std::byte> out);

}  // namespace karyon
