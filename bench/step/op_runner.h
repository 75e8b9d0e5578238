#pragma once

#include "bench/step/op_case.h"

namespace karyon::bench {

/// Times one op with inputs that are not in the cache: it has several sets of buffers, more than a cache holds, and
/// takes them in turn. Inside a network some of an op's input may still be there, and the op then be faster.
class OpRunner {
  public:
    explicit OpRunner(const OpCase&);

    /// Mean seconds of a call in one sample of some milliseconds.
    double ours() { return sample(&OpCall::ours, calls_[0]); }
    double onednn() { return sample(&OpCall::onednn, calls_[1]); }
    bool has_onednn() const { return bool(sets_.front().onednn); }

  private:
    double sample(std::function<void()> OpCall::*work, int calls);
    int calls_for(std::function<void()> OpCall::*work);

    std::vector<OpCall> sets_;
    std::size_t next_ = 0;
    int calls_[2] = {0, 0};
};

}  // namespace karyon::bench
