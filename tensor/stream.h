#pragma once

#include "kernels/types.h"
#include "tensor/cuda.h"

namespace karyon {

/// The stream on which ops of this thread are queued.
inline kernels::Stream& current_stream(Device device) {
    thread_local kernels::Stream stream;
    return device.kind == Device::Kind::cpu ? stream : cuda::stream(device.index);
}

/// The kernel of that name for a device; both have the same signature, and a build without CUDA has only the CPU's.
#if KARYON_HAS_CUDA
#define KARYON_KERNEL(device, name) \
    ((device).kind == karyon::Device::Kind::cuda ? karyon::kernels::gpu::name : karyon::kernels::cpu::name)
#else
#define KARYON_KERNEL(device, name) (karyon::kernels::cpu::name)
#endif

/// Queues a kernel on a device: `KARYON_RUN(x.device(), add, count, a, b, y);`.
#define KARYON_RUN(device, name, ...) KARYON_KERNEL(device, name)(karyon::current_stream(device), __VA_ARGS__)

}  // namespace karyon
