// Kernels that are right and slow on purpose: what the kernel table is held to must name each of them. All compute
// y = 2 x over `count` elements. The remark `caught: FAULT [FIGURE]` states the figures whose bounds must fail, and no
// others. tests/gpu/control/table.sh holds the report against these remarks.
#include <cuda_runtime.h>

#include <cstdio>
#include <cstring>

namespace {

constexpr int count = 1 << 16, block_threads = 256;
constexpr int shared_bytes = 120 << 10;

__device__ int element() { return static_cast<int>(blockIdx.x * block_threads + threadIdx.x); }

// silent: streams
__global__ void streams(const float* x, float* y) { y[element()] = 2 * x[element()]; }

// Neighbouring lanes a row apart. caught: strided [sector_bytes sectors_per_request]
__global__ void strided(const float* x, float* y) {
    const int i = element(), turned = i % 256 * 256 + i / 256;
    y[turned] = 2 * x[turned];
}

// caught: conflicting [bank_ways]
__global__ void conflicting(const float* x, float* y) {
    __shared__ float tile[block_threads * 4];
    tile[threadIdx.x * 4] = x[element()];
    __syncthreads();
    y[element()] = 2 * tile[threadIdx.x * 4];
}

__device__ float copy[count];

// caught: writes_twice [dram_bytes sector_bytes]
__global__ void writes_twice(const float* x, float* y) { y[element()] = copy[element()] = 2 * x[element()]; }

// What an infinite cache would hide. caught: reads_again [sector_bytes]
__global__ void reads_again(const float* x, float* y) {
    const bool huge = x[element() ^ block_threads] > 1e38f || x[element() ^ (2 * block_threads)] > 1e38f;
    y[element()] = huge ? 0 : 2 * x[element()];
}

// caught: computes_more [flops]
__global__ void computes_more(const float* x, float* y) { y[element()] = 2 * (x[element()] + 1) - 2; }

// caught: spills [spill_bytes stack_bytes]
__global__ void __launch_bounds__(1024, 2) spills(const float* x, float* y) {
    constexpr int each = 64;
    const int first = static_cast<int>(blockIdx.x * blockDim.x * each + threadIdx.x);
    float value[each];
#pragma unroll
    for (int i = 0; i < each; ++i) value[i] = x[first + i * static_cast<int>(blockDim.x)];
    __syncthreads();
#pragma unroll
    for (int i = 0; i < each; ++i) y[first + i * static_cast<int>(blockDim.x)] = 2 * value[i];
}

// caught: too_large [occupancy]
__global__ void too_large(const float* x, float* y) {
    extern __shared__ float tile[];
    tile[threadIdx.x] = x[element()];
    y[element()] = 2 * tile[threadIdx.x];
}

struct Case {
    const char* name;
    void (*kernel)(const float*, float*);
    int blocks = count / block_threads, threads = block_threads, shared_bytes = 0;
};
#define CASE(name, ...) \
    { #name, name __VA_OPT__(, ) __VA_ARGS__ }
constexpr Case cases[] = {
    CASE(streams),         CASE(strided),
    CASE(conflicting),     CASE(writes_twice),
    CASE(reads_again),     CASE(computes_more),
    CASE(spills, 1, 1024), CASE(too_large, count / block_threads, block_threads, shared_bytes),
};

}  // namespace

int main(int argc, char** argv) {
    for (const Case& item : cases) {
        if (argc == 2 && !std::strcmp(argv[1], "--list"))
            std::printf("%s\t%d\t%d\t0\t0\t0\n", item.name, 2 * 4 * count, count);
        if (argc != 3 || std::strcmp(argv[2], item.name) != 0) continue;
        float *x = nullptr, *y = nullptr;
        cudaMalloc(reinterpret_cast<void**>(&x), count * sizeof(float));
        cudaMalloc(reinterpret_cast<void**>(&y), count * sizeof(float));
        cudaMemset(x, 0, count * sizeof(float));
        if (item.shared_bytes)
            cudaFuncSetAttribute(item.kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, item.shared_bytes);
        item.kernel<<<item.blocks, item.threads, item.shared_bytes>>>(x, y);
        return cudaDeviceSynchronize() == cudaSuccess ? 0 : 1;
    }
    return 0;
}
