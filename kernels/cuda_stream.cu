#include "kernels/cuda_stream.h"
#include "kernels/launch.cuh"

namespace karyon::kernels {

CudaStream::~CudaStream() { cudaFree(scratch_); }

void* CudaStream::scratch(std::size_t bytes) {
    if (bytes <= scratch_bytes_) return scratch_;
    cudaStreamCaptureStatus capturing = cudaStreamCaptureStatusNone;
    gpu::check(cudaStreamIsCapturing(handle_, &capturing), "scratch");
    if (capturing != cudaStreamCaptureStatusNone)
        throw Error("scratch", "expected at most {} bytes while a graph is captured, got {}: run the step once before",
                    scratch_bytes_, bytes);
    // cudaFree waits for the kernels that may still use the old memory.
    gpu::check(cudaFree(scratch_), "scratch");
    scratch_ = nullptr;
    scratch_bytes_ = 0;
    gpu::check(cudaMalloc(&scratch_, bytes), "scratch");
    scratch_bytes_ = bytes;
    return scratch_;
}

}  // namespace karyon::kernels
