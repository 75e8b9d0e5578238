#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace karyon::test {

/// The numbers of tests/reference/hashed.py. Element i: the upper 24 bits of splitmix64's output i + 1 from the name's
/// FNV-1a hash, as low + (high - low) * u in double.
inline void fill_hashed(std::span<float> values, std::string_view name, double low, double high) {
    std::uint64_t state = 0xcbf29ce484222325u;
    for (const char c : name) state = (state ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    for (float& value : values) {
        std::uint64_t z = state += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        value = float(low + (high - low) * (double((z ^ (z >> 31)) >> 40) * 0x1p-24));
    }
}

}  // namespace karyon::test
