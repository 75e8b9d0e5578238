// Kernels that are wrong on purpose, one fault a run: what watches the GPU tests must name each of them. The remark
// `caught: FAULT [KIND] SETTINGS` stands at the line that the report must name, `caught below` above it, `caught
// without a line` where ptxcpu knows none. tests/gpu/control/caught.sh holds the reports against these remarks.
#include <cuda_runtime.h>

#include <cstdio>
#include <cstring>

namespace {

constexpr int count = 256;

// Shuffles stand as assembly: of an intrinsic ptxcpu names the line in CUDA's header.

// data holds `count` floats, all written; out as many, none of them written.

// silent: sound_kernel
__global__ void sound_kernel(const float* data, float* out) {
    __shared__ float tile[count];
    tile[threadIdx.x] = data[threadIdx.x];
    __syncthreads();
    out[threadIdx.x] = tile[count - 1 - threadIdx.x];
}

__global__ void read_out_of_bounds(const float* data, float* out) {
    out[threadIdx.x] = data[threadIdx.x + 1];  // caught: read_out_of_bounds [out-of-bounds]
}

__global__ void write_out_of_bounds(const float* data, float* out) {
    const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i <= count) out[i] = data[0];  // caught: write_out_of_bounds [out-of-bounds]
}

__global__ void shared_out_of_bounds(const float* data, float* out) {
    __shared__ float tile[count];
    tile[threadIdx.x] = data[threadIdx.x];
    __syncthreads();
    tile[threadIdx.x + 1] = 0;  // caught: shared_out_of_bounds [out-of-bounds]
    __syncthreads();
    out[threadIdx.x] = tile[threadIdx.x];
}

__global__ void misaligned_vector(const float* data, float* out) {
    const float4 four = *reinterpret_cast<const float4*>(data + 1);  // caught: misaligned_vector [misaligned]
    out[0] = four.x + four.y + four.z + four.w;
}

__global__ void race_between_warps(const float* data, float* out) {
    __shared__ float tile[count];
    tile[threadIdx.x] = data[threadIdx.x];
    out[threadIdx.x] = tile[count - 1 - threadIdx.x];  // caught: race_between_warps [race]
}

__global__ void overwritten_too_early(const float* data, float* out) {
    __shared__ float tile[count];
    tile[threadIdx.x] = data[threadIdx.x];
    __syncthreads();
    const float value = tile[count - 1 - threadIdx.x];
    tile[threadIdx.x] = value + 1;  // caught: overwritten_too_early [race]
    __syncthreads();
    out[threadIdx.x] = tile[threadIdx.x];
}

__global__ void race_inside_warp(const float* data, float* out) {
    __shared__ float tile[32];
    tile[threadIdx.x] = data[threadIdx.x];
    out[threadIdx.x] = tile[31 - threadIdx.x];  // caught: race_inside_warp [race] PTXCPU_WARPRACE=1
}

__global__ void unwritten_shared(const float* data, float* out) {
    __shared__ float tile[count + 1];
    tile[threadIdx.x] = data[threadIdx.x];
    __syncthreads();
    out[threadIdx.x] = tile[threadIdx.x + 1];  // caught: unwritten_shared [uninit-shared]
}

__global__ void read_before_wait(const float* data, float* out) {
    __shared__ float4 tile[count / 4];
    const auto destination = static_cast<unsigned>(__cvta_generic_to_shared(&tile[threadIdx.x]));
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(destination), "l"(data + 4 * threadIdx.x));
    asm volatile("cp.async.commit_group;");
    out[threadIdx.x] = tile[threadIdx.x].x;  // caught: read_before_wait [uninit-shared]
    asm volatile("cp.async.wait_group 0;" ::: "memory");
}

__global__ void copy_never_waited_for(const float* data, float* out) {
    __shared__ float4 tile[count / 4];
    const auto to = static_cast<unsigned>(__cvta_generic_to_shared(&tile[threadIdx.x]));
    const float* from = data + 4 * threadIdx.x;
    // caught below: copy_never_waited_for [cp.async]
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to), "l"(from));
    out[threadIdx.x] = from[0];
}

__global__ void blocks_write_one_byte(const float* data, float* out) {
    out[threadIdx.x] = data[threadIdx.x];  // caught: blocks_write_one_byte [block-race] PTXCPU_CHECK=all
}

__global__ void unwritten_global(const float*, float* out) {
    const float left = out[count - 1];  // caught: unwritten_global [uninit-global] PTXCPU_CHECK=all PTXCPU_STRICT=1
    out[threadIdx.x] = left;
}

__global__ void shuffle_of_absent_lane(const float* data, float* out) {
    unsigned value = __float_as_uint(data[threadIdx.x]);
    if (threadIdx.x < 16)
        // caught below: shuffle_of_absent_lane [shfl-inactive]
        asm volatile("shfl.sync.idx.b32 %0, %0, 20, 31, 0xffff;" : "+r"(value));
    out[threadIdx.x] = __uint_as_float(value);
}

__global__ void diverged_shuffle(const float* data, float* out) {
    unsigned value = __float_as_uint(data[threadIdx.x]);
    if (threadIdx.x < 16)
        // caught below: diverged_shuffle [warp-sync]
        asm volatile("shfl.sync.bfly.b32 %0, %0, 1, 31, 0xffffffff;" : "+r"(value));
    __syncwarp();
    out[threadIdx.x] = __uint_as_float(value);
}

__global__ void diverged_matrix_load(const float* data, float* out) {
    __shared__ alignas(16) float tile[count];
    for (unsigned i = threadIdx.x; i < count; i += 32) tile[i] = data[i];
    __syncwarp();
    unsigned word = 0;
    const auto row = static_cast<unsigned>(__cvta_generic_to_shared(&tile[threadIdx.x * 4]));
    if (data[threadIdx.x] >= 0 && threadIdx.x < 16)
        // caught below: diverged_matrix_load [warp-sync]
        asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%0}, [%1];" : "=r"(word) : "r"(row));
    out[threadIdx.x] = __uint_as_float(word);
}

__global__ void two_barriers(const float* data, float* out) {
    if (threadIdx.x < 16)
        asm volatile("bar.sync 1, 32;");
    else
        asm volatile("bar.sync 2, 32;");  // caught: two_barriers [barrier]
    out[threadIdx.x] = data[threadIdx.x];
}

__global__ void diverged_barrier(const float* data, float* out) {  // caught without a line: diverged_barrier [deadlock]
    if (threadIdx.x < 32)
        __syncthreads();
    else
        asm volatile("bar.sync 1, 256;");
    out[threadIdx.x] = data[threadIdx.x];
}

// caught without a line: endless_wait [timeout] PTXCPU_TIMEOUT=1
__global__ void endless_wait(const float* data, float* out) {
    const volatile float* flag = data;
    while (*flag == 0) {
    }
    out[threadIdx.x] = 1;
}

__global__ void trapped(const float* data, float* out) {
    if (data[threadIdx.x] == 0) __trap();  // caught: trapped [trap]
    out[threadIdx.x] = 0;
}

__global__ void too_many_threads(const float* data, float* out) {  // caught without a line: too_many_threads [launch]
    out[threadIdx.x % count] = data[threadIdx.x % count];
}

__global__ void too_much_shared(const float* data, float* out) {  // caught without a line: too_much_shared [launch]
    extern __shared__ float tile[];
    tile[threadIdx.x] = data[threadIdx.x];
    out[threadIdx.x] = tile[threadIdx.x];
}

struct Fault {
    const char* name;
    void (*kernel)(const float*, float*);
    unsigned blocks, threads;
    std::size_t shared_bytes = 0;
};
#define FAULT(name, ...) \
    { #name, name, __VA_ARGS__ }
constexpr Fault faults[] = {
    FAULT(sound_kernel, 1, count),
    FAULT(read_out_of_bounds, 1, count),
    FAULT(write_out_of_bounds, 2, count),
    FAULT(shared_out_of_bounds, 1, count),
    FAULT(misaligned_vector, 1, 1),
    FAULT(race_between_warps, 1, count),
    FAULT(overwritten_too_early, 1, count),
    FAULT(race_inside_warp, 1, 32),
    FAULT(unwritten_shared, 1, count),
    FAULT(read_before_wait, 1, count / 4),
    FAULT(copy_never_waited_for, 1, count / 4),
    FAULT(blocks_write_one_byte, 2, count),
    FAULT(unwritten_global, 1, 32),
    FAULT(shuffle_of_absent_lane, 1, 32),
    FAULT(diverged_shuffle, 1, 32),
    FAULT(diverged_matrix_load, 1, 32),
    FAULT(two_barriers, 1, 32),
    FAULT(diverged_barrier, 1, count),
    FAULT(endless_wait, 1, 1),
    FAULT(trapped, 1, count),
    FAULT(too_many_threads, 1, 1056),
    FAULT(too_much_shared, 1, count, 64 << 10),
};

}  // namespace

int main(int argc, char** argv) {
    for (const Fault& fault : faults) {
        if (argc != 2 || std::strcmp(argv[1], fault.name) != 0) continue;
        float *data = nullptr, *out = nullptr;
        cudaMalloc(reinterpret_cast<void**>(&data), count * sizeof(float));
        cudaMalloc(reinterpret_cast<void**>(&out), count * sizeof(float));
        cudaMemset(data, 0, count * sizeof(float));
        fault.kernel<<<fault.blocks, fault.threads, fault.shared_bytes>>>(data, out);
        std::printf("%s: %s", fault.name, cudaGetErrorName(cudaGetLastError()));
        std::printf(", %s\n", cudaGetErrorName(cudaDeviceSynchronize()));
        return 0;
    }
    std::fprintf(stderr, "usage: broken_kernels FAULT\n");
    return 2;
}
