#pragma once

#include <omp.h>

#include "tests/kernels/reference.h"

namespace karyon::test {

/// Sets the number of OpenMP threads for a scope.
class Threads {
  public:
    explicit Threads(int count) : before_(omp_get_max_threads()) { omp_set_num_threads(count); }
    ~Threads() { omp_set_num_threads(before_); }
    Threads(const Threads&) = delete;
    Threads& operator=(const Threads&) = delete;

  private:
    int before_;
};

/// Empty when run() gives the same bits twice and with 1, 2 and 3 threads, else which run differed.
inline std::string nondeterminism(const std::function<std::vector<float>()>& run) {
    const auto with_threads = [&](int count) {
        const Threads threads(count);
        return run();
    };
    const auto same = [](float a, float b) {
        return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
    };
    const std::vector<float> first = with_threads(1);
    for (const int count : {1, 2, 3}) {
        const std::vector<float> next = with_threads(count);
        if (!std::equal(first.begin(), first.end(), next.begin(), next.end(), same))
            return fmt::format("another result with {} threads than with 1", count);
    }
    return {};
}

inline void check_deterministic(const std::function<std::vector<float>()>& run) {
    const std::string text = nondeterminism(run);
    CHECK_MESSAGE(text.empty(), text);
}

}  // namespace karyon::test
