#pragma once

#include "kernels/types.h"

struct CUstream_st;

namespace karyon::kernels {

/// A stream of the GPU, what every launcher of namespace gpu takes as its Stream&. Null is the default stream. The
/// handle is borrowed: who made it destroys it.
class CudaStream : public Stream {
  public:
    explicit CudaStream(CUstream_st* handle = nullptr) : handle_(handle) {}
    CUstream_st* handle() const { return handle_; }

  private:
    CUstream_st* handle_;
};

}  // namespace karyon::kernels
