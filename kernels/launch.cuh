#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <nvtx3/nvtx3.hpp>

#include "kernels/cuda_stream.h"
#include "kernels/error.h"

namespace karyon::kernels::gpu {

/// Throws Error, naming the op, unless the call succeeded.
inline void check(cudaError_t status, const char* op) {
    if (status != cudaSuccess)
        throw Error(op, "expected success from CUDA, got {} ({})", cudaGetErrorName(status),
                    cudaGetErrorString(status));
}

/// The CUDA handle of a stream that namespace gpu was given.
inline cudaStream_t handle(Stream& stream) { return static_cast<CudaStream&>(stream).handle(); }

/// What a launch is made of; `shared_bytes` is the dynamic shared memory of a block.
struct Grid {
    dim3 blocks, threads;
    std::size_t shared_bytes = 0;
};

/// All that a launcher does: an NVTX range named after the op, the launch, the check of the launch.
template <typename... Parameters>
void launch(const char* op, Stream& stream, const Grid& grid, void (*kernel)(Parameters...),
            std::type_identity_t<Parameters>... arguments) {
    constexpr std::size_t always_granted = 48 * 1024;
    const nvtx3::scoped_range range{op};
    if (grid.shared_bytes > always_granted)
        check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                   static_cast<int>(grid.shared_bytes)),
              op);
    kernel<<<grid.blocks, grid.threads, grid.shared_bytes, handle(stream)>>>(arguments...);
    check(cudaGetLastError(), op);
}

}  // namespace karyon::kernels::gpu
