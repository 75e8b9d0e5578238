#pragma once

#include <cstddef>

#include "kernels/types.h"

struct CUstream_st;

namespace karyon::kernels {

/// How products of f32 matrices are taken on tensor cores: as three products of TF32 (10-bit mantissa) that together
/// keep 21 bits, or as one.
enum class F32Math : std::uint8_t { tf32x3, tf32 };

/// A stream of the GPU, what every launcher of namespace gpu takes as its Stream&. Null is the default stream. The
/// handle is borrowed: who made it destroys it.
class CudaStream : public Stream {
  public:
    explicit CudaStream(CUstream_st* handle = nullptr) : handle_(handle) {}
    ~CudaStream();
    CudaStream(const CudaStream&) = delete;
    CudaStream& operator=(const CudaStream&) = delete;

    CUstream_st* handle() const { return handle_; }

    /// Device memory for the kernels that one call of a launcher queues, 256-byte aligned, contents undefined. One
    /// stream runs its kernels in order, so that every launcher reuses the same memory: a pointer is good until the
    /// next call. Grows to the largest request; throws Error where it would have to grow while a graph is captured.
    void* scratch(std::size_t bytes);

    F32Math f32_math = F32Math::tf32x3;

  private:
    CUstream_st* handle_;
    void* scratch_ = nullptr;
    std::size_t scratch_bytes_ = 0;
};

}  // namespace karyon::kernels
