#include "bench/step/ceilings.h"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

#include "bench/step/fma_peak.h"
#include "bench/step/line_round_trip.h"

namespace karyon::bench {
namespace {

constexpr int probes = 2;
constexpr std::int64_t copied_bytes = 256 << 20;

double flops_per_second(Arithmetic arithmetic) {
    double best = 0;
    for (int probe = 0; probe < probes; ++probe) {
        double flops = 0;
        const double start = now();
#pragma omp parallel reduction(+ : flops)
        flops += multiply_add_loop(arithmetic);
        best = std::max(best, flops / (now() - start));
    }
    return best;
}

double copied_per_second(const Tensor& from, const Tensor& to) {
    double best = 0;
    for (int probe = 0; probe < probes; ++probe) {
        const double start = now();
#pragma omp parallel
        {
            const std::int64_t part = copied_bytes / omp_get_num_threads(), first = part * omp_get_thread_num();
            std::memcpy(to.data<std::uint8_t>() + first, from.data<std::uint8_t>() + first, std::size_t(part));
        }
        best = std::max(best, 2 * double(copied_bytes) / (now() - start));
    }
    return best;
}

/// The round before an op, the one after, and their neighbours.
double best_around(const std::vector<double>& rounds, std::size_t round) {
    const std::size_t first = round < 1 ? 0 : round - 1, last = std::min(round + 3, rounds.size());
    return *std::max_element(rounds.begin() + std::ptrdiff_t(first), rounds.begin() + std::ptrdiff_t(last));
}

}  // namespace

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double Samples::quantile(double part) const {
    if (values.empty()) return 0;
    std::vector<double> sorted = values;
    std::sort(sorted.begin(), sorted.end());
    const double place = part * double(sorted.size() - 1);
    const auto below = std::size_t(place);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return std::lerp(sorted[below], sorted[above], place - double(below));
}

double Samples::spread() const { return (quantile(0.75) - quantile(0.25)) / median(); }

Ceilings::Ceilings() : from_(zeroed({copied_bytes}, DType::u8)), to_(zeroed({copied_bytes}, DType::u8)) {}

std::size_t Ceilings::measure() {
    f32.values.push_back(flops_per_second(Arithmetic::f32));
    bf16.values.push_back(flops_per_second(Arithmetic::bf16));
    copy.values.push_back(copied_per_second(from_, to_));
    round_trip.values.push_back(line_round_trip());
    return copy.values.size() - 1;
}

double Ceilings::arithmetic_seconds(const OpCase& op, std::size_t round) const {
    return op.cost.flops / best_around((op.arithmetic == Arithmetic::f32 ? f32 : bf16).values, round);
}

double Ceilings::memory_seconds(const OpCase& op, std::size_t round) const {
    return op.cost.bytes / best_around(copy.values, round);
}

}  // namespace karyon::bench
