#pragma once

#include <cstdint>

#include "kernels/host_device.h"

namespace karyon {

template <int count>
struct Words {
    std::uint32_t at[count];

    KARYON_HOST_DEVICE constexpr std::uint32_t operator[](std::uint64_t i) const { return at[i]; }
    bool operator==(const Words&) const = default;
};

/// One block of Philox4x32-10: 128 random bits that depend on nothing but the counter and the key.
/// (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.)
KARYON_HOST_DEVICE inline Words<4> philox(const Words<2>& key, const Words<4>& counter) {
    std::uint32_t k0 = key.at[0], k1 = key.at[1];
    std::uint32_t c0 = counter.at[0], c1 = counter.at[1], c2 = counter.at[2], c3 = counter.at[3];
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t p0 = std::uint64_t{0xD2511F53} * c0, p1 = std::uint64_t{0xCD9E8D57} * c2;
        c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
        c1 = static_cast<std::uint32_t>(p1);
        c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
        c3 = static_cast<std::uint32_t>(p0);
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    return {{c0, c1, c2, c3}};
}

/// Words 4 index .. 4 index + 3 of the sequence of (seed, stream): key = seed, counter = (index, stream).
KARYON_HOST_DEVICE inline Words<4> random_block(std::uint64_t seed, std::uint64_t stream, std::uint64_t index) {
    const auto low = [](std::uint64_t word) { return static_cast<std::uint32_t>(word); };
    return philox({{low(seed), low(seed >> 32)}}, {{low(index), low(index >> 32), low(stream), low(stream >> 32)}});
}

/// Word `index` of the sequence of (seed, stream), as Random would draw it.
KARYON_HOST_DEVICE inline std::uint32_t random_word(std::uint64_t seed, std::uint64_t stream, std::uint64_t index) {
    const Words<4> block = random_block(seed, stream, index / 4);
    const std::uint32_t low = index % 2 == 0 ? block.at[0] : block.at[1];  // constant indices: registers on the GPU
    const std::uint32_t high = index % 2 == 0 ? block.at[2] : block.at[3];
    return index % 4 < 2 ? low : high;
}

/// A word as a number in [0, 1), 24 bits.
KARYON_HOST_DEVICE inline float random_unit(std::uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }

}  // namespace karyon
