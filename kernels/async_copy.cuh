#pragma once

#include <cuda_runtime.h>

/// Copies from global to shared memory that pass by the registers (Ampere on): a thread queues some, commits them as a
/// group, and waits for its own groups; __syncthreads() then shows them to the block.
namespace karyon::kernels::gpu {

/// Queues a copy of 16 bytes, both addresses multiples of 16; of zeros where not `valid` (`source` is then any global
/// address, and not read).
__device__ inline void cp_async_16(void* target, const void* source, bool valid) {
    asm volatile(
        "cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(static_cast<unsigned>(__cvta_generic_to_shared(target))),
        "l"(source), "r"(valid ? 16 : 0)
        : "memory");
}

__device__ inline void cp_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }

/// Waits until at most `pending` of the thread's groups are under way.
template <int pending>
__device__ inline void cp_async_wait() {
    asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
}

}  // namespace karyon::kernels::gpu
