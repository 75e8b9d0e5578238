#include "tensor/random.h"

#include <cmath>
#include <numbers>

#include "kernels/error.h"

namespace karyon {
namespace {

std::array<std::uint32_t, 4> block_of(std::uint64_t seed, std::uint64_t stream, std::uint64_t index) {
    return philox(
        {std::uint32_t(seed), std::uint32_t(seed >> 32)},
        {std::uint32_t(index), std::uint32_t(index >> 32), std::uint32_t(stream), std::uint32_t(stream >> 32)});
}

float unit(std::uint32_t word) { return float(word >> 8) * 0x1p-24f; }

float box_muller(std::uint32_t radius, std::uint32_t angle) {
    const double u = (radius + 1.0) * 0x1p-32;  // in (0, 1]: the logarithm stays finite
    return float(std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * 0x1p-32 * angle));
}

}  // namespace

std::array<std::uint32_t, 4> philox(const std::array<std::uint32_t, 2>& key,
                                    const std::array<std::uint32_t, 4>& counter) {
    auto [k0, k1] = key;
    auto [c0, c1, c2, c3] = counter;
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t p0 = std::uint64_t(0xD2511F53) * c0, p1 = std::uint64_t(0xCD9E8D57) * c2;
        c0 = std::uint32_t(p1 >> 32) ^ c1 ^ k0;
        c1 = std::uint32_t(p1);
        c2 = std::uint32_t(p0 >> 32) ^ c3 ^ k1;
        c3 = std::uint32_t(p0);
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    return {c0, c1, c2, c3};
}

std::uint32_t random_word(std::uint64_t seed, std::uint64_t stream, std::uint64_t index) {
    return block_of(seed, stream, index / 4)[index % 4];
}

std::uint32_t Random::u32() {
    const std::uint64_t index = state_.position / 4;
    if (index != block_index_) {
        block_ = block_of(state_.seed, state_.stream, index);
        block_index_ = index;
    }
    return block_[state_.position++ % 4];
}

std::uint64_t Random::u64() {
    const std::uint64_t low = u32();
    return low | std::uint64_t(u32()) << 32;
}

float Random::uniform() { return unit(u32()); }

double Random::uniform_double() { return double(u64() >> 11) * 0x1p-53; }

float Random::normal() {
    const std::uint32_t radius = u32();
    return box_muller(radius, u32());
}

std::uint32_t Random::below(std::uint32_t n) {
    if (n == 0) throw Error("random", "expected a positive bound, got 0");
    const std::uint64_t x = u64();
    return std::uint32_t(((x >> 32) * n + ((x & 0xFFFFFFFF) * n >> 32)) >> 32);
}

void fill_uniform(float* values, std::size_t count, float low, float high, std::uint64_t seed, std::uint64_t stream) {
    const std::ptrdiff_t blocks = std::ptrdiff_t((count + 3) / 4);
#pragma omp parallel for
    for (std::ptrdiff_t b = 0; b < blocks; ++b) {
        const auto words = block_of(seed, stream, b);
        for (std::size_t i = 4 * b; i < 4 * std::size_t(b) + 4 && i < count; ++i)
            values[i] = low + (high - low) * unit(words[i % 4]);
    }
}

void fill_normal(float* values, std::size_t count, float mean, float deviation, std::uint64_t seed,
                 std::uint64_t stream) {
    const std::ptrdiff_t blocks = std::ptrdiff_t((count + 1) / 2);
#pragma omp parallel for
    for (std::ptrdiff_t b = 0; b < blocks; ++b) {
        const auto words = block_of(seed, stream, b);
        for (std::size_t i = 2 * b; i < 2 * std::size_t(b) + 2 && i < count; ++i)
            values[i] = mean + deviation * box_muller(words[i % 2 * 2], words[i % 2 * 2 + 1]);
    }
}

}  // namespace karyon
