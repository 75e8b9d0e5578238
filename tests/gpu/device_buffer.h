#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <span>
#include <vector>

#include "kernels/error.h"

namespace karyon::test {

inline void cuda_ok(cudaError_t status) {
    if (status != cudaSuccess) throw Error("CUDA", "expected success, got {}", cudaGetErrorString(status));
}

/// Device memory for one test: filled from the host, read back to it. No more than asked for, so that a stray access is
/// seen.
template <typename T>
class DeviceBuffer {
  public:
    explicit DeviceBuffer(std::size_t count) : count_(count) {
        cuda_ok(cudaMalloc(reinterpret_cast<void**>(&data_), count * sizeof(T)));
    }
    explicit DeviceBuffer(std::span<const T> values) : DeviceBuffer(values.size()) {
        cuda_ok(cudaMemcpy(data_, values.data(), values.size_bytes(), cudaMemcpyHostToDevice));
    }
    DeviceBuffer(const DeviceBuffer&) = delete;
    DeviceBuffer& operator=(const DeviceBuffer&) = delete;
    ~DeviceBuffer() { cudaFree(data_); }

    T* data() { return data_; }
    std::vector<T> read() const {
        std::vector<T> values(count_);
        cuda_ok(cudaMemcpy(values.data(), data_, count_ * sizeof(T), cudaMemcpyDeviceToHost));
        return values;
    }

  private:
    T* data_ = nullptr;
    std::size_t count_;
};

}  // namespace karyon::test
