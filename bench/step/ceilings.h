#pragma once

#include <algorithm>
#include <vector>

#include "bench/step/op_case.h"

namespace karyon::bench {

/// Several measurements of one quantity.
struct Samples {
    std::vector<double> values;

    double median() const { return quantile(0.5); }
    double best() const { return quantile(1); }
    double quantile(double) const;
    /// Distance of the quartiles over the median.
    double spread() const;
};

/// What the machine does at most, on all threads. Measured in rounds, one before each op and one at the end, since a
/// shared machine gives more at one time than at another: an op is held against the best of the rounds around it.
class Ceilings {
  public:
    Ceilings();
    /// One more round; a round takes the best of some probes. Returns its number.
    std::size_t measure();

    /// Seconds that an op needs at least: its flops at the peak or its bytes at the speed of a large copy. `round` is
    /// the one before the op.
    double roof(const OpCase& op, std::size_t round) const {
        return std::max(arithmetic_seconds(op, round), memory_seconds(op, round));
    }
    bool memory_bound(const OpCase& op, std::size_t round) const {
        return memory_seconds(op, round) > arithmetic_seconds(op, round);
    }

    Samples f32, bf16, copy;  ///< flops, bytes read and written: per second
    Samples round_trip;       ///< seconds, see line_round_trip.h

  private:
    double arithmetic_seconds(const OpCase&, std::size_t round) const;
    double memory_seconds(const OpCase&, std::size_t round) const;

    Tensor from_, to_;
};

/// Seconds of a steady clock.
double now();

}  // namespace karyon::bench
