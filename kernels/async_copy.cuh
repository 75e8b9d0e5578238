#pragma once

#include <cuda_runtime.h>

/// Copies from global to shared memory that pass by the registers (Ampere on): a thread queues some, commits them as a
/// group, and waits for its own groups; __syncthreads() then shows them to the block.
namespace karyon::kernels::gpu {

/// Queues a copy of 16 bytes; both addresses are multiples of 16.
__device__ inline void cp_async_16(void* shared, const void* global) {
    const auto to = static_cast<unsigned>(__cvta_generic_to_shared(shared));
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to), "l"(global) : "memory");
}

__device__ inline void cp_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }

/// Waits until at most `pending` of the thread's groups are under way.
template <int pending>
__device__ inline void cp_async_wait() {
    asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
}

}  // namespace karyon::kernels::gpu
