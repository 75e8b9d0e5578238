#include "bench/kernel_table/arch.h"

#include <cuda_occupancy.h>

#include <charconv>
#include <climits>

#include "kernels/error.h"

namespace karyon::kernel_table {
namespace {

struct Limits {
    int arch, threads, shared_kib;  ///< of a multiprocessor
};

// CUDA C++ Programming Guide, "Technical Specifications per Compute Capability". All have 65536 registers; a block may
// take 1 KiB of shared memory less than the multiprocessor has, which is reserved for each block.
constexpr Limits limits[] = {{80, 2048, 164}, {86, 1536, 100},  {89, 1536, 100},
                             {90, 2048, 228}, {100, 2048, 228}, {120, 1536, 100}};

cudaOccDeviceProp device(const Limits& of) {
    cudaOccDeviceProp device;
    device.computeMajor = of.arch / 10;
    device.computeMinor = of.arch % 10;
    device.maxThreadsPerBlock = 1024;
    device.maxThreadsPerMultiprocessor = of.threads;
    device.regsPerBlock = device.regsPerMultiprocessor = 65536;
    device.warpSize = 32;
    device.sharedMemPerBlock = 48 << 10;
    device.sharedMemPerMultiprocessor = static_cast<std::size_t>(of.shared_kib) << 10;
    device.sharedMemPerBlockOptin = static_cast<std::size_t>(of.shared_kib - 1) << 10;
    device.reservedSharedMemPerBlock = 1 << 10;
    device.numSms = 1;
    return device;
}

}  // namespace

int arch_number(std::string_view arch) {
    int number = 0;
    if (arch.starts_with("sm_") &&
        std::from_chars(arch.data() + 3, arch.data() + arch.size(), number).ptr == arch.data() + arch.size())
        return number;
    throw Error("kernel table", "expected an architecture as sm_80, got {}", arch);
}

double occupancy(std::string_view arch, int registers, int threads, int shared_bytes) {
    for (const Limits& of : limits) {
        if (of.arch != arch_number(arch)) continue;
        const cudaOccDeviceProp properties = device(of);
        cudaOccFuncAttributes kernel;
        kernel.maxThreadsPerBlock = INT_MAX;
        kernel.numRegs = registers;
        kernel.shmemLimitConfig = FUNC_SHMEM_LIMIT_OPTIN;
        kernel.maxDynamicSharedSizeBytes = static_cast<std::size_t>(shared_bytes);
        const cudaOccDeviceState state;
        cudaOccResult result;
        const cudaOccError status = cudaOccMaxActiveBlocksPerMultiprocessor(
            &result, &properties, &kernel, &state, threads, static_cast<std::size_t>(shared_bytes));
        if (status != CUDA_OCC_SUCCESS) return 0;
        return static_cast<double>(result.activeBlocksPerMultiprocessor * ((threads + 31) / 32)) / (of.threads / 32);
    }
    throw Error("kernel table", "expected an architecture whose limits are known, got {}", arch);
}

}  // namespace karyon::kernel_table
