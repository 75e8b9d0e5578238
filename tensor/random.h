#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/philox.h"

namespace karyon {

/// A sequence of random numbers: a small value that can be copied, saved and moved to any place. Sequences of different
/// (seed, stream) are independent, so a thing that needs its own numbers takes its own stream. Each call uses a fixed
/// number of 32-bit words, which is what makes a position meaningful.
class Random {
  public:
    /// All that there is to save; `position` counts words.
    struct State {
        std::uint64_t seed = 0, stream = 0, position = 0;
        bool operator==(const State&) const = default;
    };

    explicit Random(std::uint64_t seed, std::uint64_t stream = 0) : Random(State{seed, stream, 0}) {}
    explicit Random(const State& state) : state_(state) {}

    const State& state() const { return state_; }
    void skip(std::uint64_t words) { state_.position += words; }

    std::uint32_t u32();      ///< 1 word
    std::uint64_t u64();      ///< 2 words, the first one is the lower half
    float uniform();          ///< [0, 1), 24 bits, 1 word
    double uniform_double();  ///< [0, 1), 53 bits, 2 words
    float uniform(float low, float high) { return low + (high - low) * uniform(); }  ///< 1 word
    float normal();  ///< mean 0, deviation 1 (Box-Muller), 2 words
    /// 0..n-1 by the upper half of a 64 x 32-bit product: no value is more than 2^-32 likelier than another. 2 words.
    /// Throws Error for n == 0.
    std::uint32_t below(std::uint32_t n);
    bool chance(float probability) { return uniform() < probability; }  ///< 1 word

  private:
    State state_;
    Words<4> block_{};
    std::uint64_t block_index_ = ~std::uint64_t(0);
};

/// values[i] uniform in [low, high). Element i depends on (seed, stream, i) only: the same bits on any number of
/// threads.
void fill_uniform(float* values, std::size_t count, float low, float high, std::uint64_t seed, std::uint64_t stream);

/// values[i] normal. Element i depends on (seed, stream, i) only: the same bits on any number of threads.
void fill_normal(float* values, std::size_t count, float mean, float deviation, std::uint64_t seed,
                 std::uint64_t stream);

}  // namespace karyon
