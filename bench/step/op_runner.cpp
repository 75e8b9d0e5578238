#include "bench/step/op_runner.h"

#include <algorithm>
#include <cmath>

#include "bench/step/ceilings.h"

namespace karyon::bench {
namespace {

constexpr double sample_seconds = 6e-3;
constexpr double beyond_cache = 80e6;  ///< bytes of all sets together: over twice a large last-level cache
constexpr double most_sets = 48;

}  // namespace

OpRunner::OpRunner(const OpCase& op) {
    const int sets = int(std::clamp(std::ceil(beyond_cache / op.cost.bytes), 1.0, most_sets));
    for (int i = 0; i < sets; ++i) sets_.push_back(op.make());
    calls_[0] = calls_for(&OpCall::ours);
    if (has_onednn()) calls_[1] = calls_for(&OpCall::onednn);
}

/// The first run of every set prepares things: primitives, scratch memory.
int OpRunner::calls_for(std::function<void()> OpCall::*work) {
    for (const OpCall& set : sets_) (set.*work)();
    const double seconds = sample(work, int(sets_.size()));
    return int(std::clamp(std::ceil(sample_seconds / seconds), 1.0, 1000.0));
}

double OpRunner::sample(std::function<void()> OpCall::*work, int calls) {
    const double start = now();
    for (int i = 0; i < calls; ++i, next_ = (next_ + 1) % sets_.size()) (sets_[next_].*work)();
    return (now() - start) / calls;
}

}  // namespace karyon::bench
