#include "bench/step/line_round_trip.h"

#include <omp.h>

#include <atomic>

#include "bench/step/ceilings.h"

namespace karyon::bench {

double line_round_trip() {
    constexpr int trips = 4000;
    if (omp_get_max_threads() < 2) return 0;
    alignas(128) static std::atomic<int> ball;
    ball = 0;
    double seconds = 0;
#pragma omp parallel num_threads(2)
    {
        const int self = omp_get_thread_num();
        const double start = now();
        const int turns = omp_get_num_threads() == 2 ? trips : 0;
        for (int i = 0; i < turns; ++i) {
            while (ball.load(std::memory_order_acquire) != 2 * i + self) continue;
            ball.store(2 * i + self + 1, std::memory_order_release);
        }
        if (self == 0) seconds = now() - start;
    }
    return seconds / trips;
}

}  // namespace karyon::bench
