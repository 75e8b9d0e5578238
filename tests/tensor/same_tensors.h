#pragma once

#include <algorithm>
#include <filesystem>

#include "tensor/safetensors.h"

/// Whether two safetensors files hold the same tensors, bit for bit; their metadata may differ.
inline bool same_tensors(const std::filesystem::path& a, const std::filesystem::path& b) {
    const auto first = karyon::SafetensorsFile::open(a), second = karyon::SafetensorsFile::open(b);
    if (first.entries().size() != second.entries().size()) return false;
    return std::ranges::all_of(first.entries(), [&](const karyon::SafetensorsEntry& entry) {
        if (!second.contains(entry.name)) return false;
        const auto x = first.bytes(entry), y = second.bytes(entry.name);
        return std::equal(x.begin(), x.end(), y.begin(), y.end());
    });
}
