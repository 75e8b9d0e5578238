#include "tensor/random.h"

#include <cmath>
#include <numbers>

#include "kernels/error.h"

namespace karyon {
namespace {

float box_muller(std::uint32_t radius, std::uint32_t angle) {
    const double u = (radius + 1.0) * 0x1p-32;  // in (0, 1]: the logarithm stays finite
    return float(std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * 0x1p-32 * angle));
}

}  // namespace

std::uint32_t Random::u32() {
    const std::uint64_t index = state_.position / 4;
    if (index != block_index_) {
        block_ = random_block(state_.seed, state_.stream, index);
        block_index_ = index;
    }
    return block_[state_.position++ % 4];
}

std::uint64_t Random::u64() {
    const std::uint64_t low = u32();
    return low | std::uint64_t(u32()) << 32;
}

float Random::uniform() { return random_unit(u32()); }

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
        const auto words = random_block(seed, stream, b);
        for (std::size_t i = 4 * b; i < 4 * std::size_t(b) + 4 && i < count; ++i)
            values[i] = low + (high - low) * random_unit(words[i % 4]);
    }
}

void fill_normal(float* values, std::size_t count, float mean, float deviation, std::uint64_t seed,
                 std::uint64_t stream) {
    const std::ptrdiff_t blocks = std::ptrdiff_t((count + 1) / 2);
#pragma omp parallel for
    for (std::ptrdiff_t b = 0; b < blocks; ++b) {
        const auto words = random_block(seed, stream, b);
        for (std::size_t i = 2 * b; i < 2 * std::size_t(b) + 2 && i < count; ++i)
            values[i] = mean + deviation * box_muller(words[i % 2 * 2], words[i % 2 * 2 + 1]);
    }
}

}  // namespace karyon
