// Kernels that are wrong on purpose, one fault a run: the positive controls of what the GPU tests are watched by.
#include <cuda_runtime.h>

#include <cstdio>
#include <cstring>

namespace {

__global__ void out_of_bounds(float* data, int count) {
    const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i <= static_cast<unsigned>(count)) data[i] = 1.0f;
}

__global__ void misaligned(float* data, int count) {
    if (count > 4) *reinterpret_cast<float4*>(data + 1) = float4{1, 2, 3, 4};
}

__global__ void shared_race(float* data, int) {
    __shared__ float rows[256];
    rows[threadIdx.x] = static_cast<float>(threadIdx.x);
    data[threadIdx.x] = rows[255 - threadIdx.x];
}

}  // namespace

int main(int argc, char** argv) {
    const char* fault = argc == 2 ? argv[1] : "";
    float* data = nullptr;
    if (cudaMalloc(reinterpret_cast<void**>(&data), 256 * sizeof(float)) != cudaSuccess) return 0;
    if (!std::strcmp(fault, "out_of_bounds"))
        out_of_bounds<<<2, 256>>>(data, 256);
    else if (!std::strcmp(fault, "misaligned"))
        misaligned<<<1, 1>>>(data, 256);
    else if (!std::strcmp(fault, "shared_race"))
        shared_race<<<1, 256>>>(data, 256);
    else
        return 0;
    std::printf("%s: %s\n", fault, cudaGetErrorString(cudaDeviceSynchronize()));
    return 0;
}
