#pragma once

#include <cuda_runtime.h>

namespace karyon::kernels::gpu {

/// Division of 0 ... 2^31 - 1 by a number that the host knows, as one multiplication: with 2^(shift - 1) < divisor <=
/// 2^shift, n / divisor = n * ceil(2^(31 + shift) / divisor) >> (31 + shift) (Granlund and Montgomery, 1994).
class FastDivide {
  public:
    FastDivide() = default;
    explicit FastDivide(int divisor) : divisor_(static_cast<unsigned>(divisor)) {
        while ((1ull << shift_) < divisor_) ++shift_;
        magic_ = static_cast<unsigned>(((1ull << (31 + shift_)) + divisor_ - 1) / divisor_);
    }

    /// The quotient; `n` becomes the remainder.
    __device__ int split(int& n) const {
        const unsigned whole = quotient(static_cast<unsigned>(n));
        n -= static_cast<int>(whole * divisor_);
        return static_cast<int>(whole);
    }
    __device__ int rest(int n, int whole) const { return n - whole * static_cast<int>(divisor_); }
    __device__ int operator()(int n) const { return static_cast<int>(quotient(static_cast<unsigned>(n))); }

  private:
    // 2 n stays below 2^32, so that the upper word of the product is shifted by `shift_`, which may be 0.
    __device__ unsigned quotient(unsigned n) const { return __umulhi(2 * n, magic_) >> shift_; }

    unsigned divisor_ = 1, magic_ = 0x80000000u, shift_ = 0;
};

}  // namespace karyon::kernels::gpu
