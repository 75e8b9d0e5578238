#pragma once

/// Marks an inline function that CUDA kernels call as well as the CPU.
#ifdef __CUDACC__
#define KARYON_HOST_DEVICE __host__ __device__
#else
#define KARYON_HOST_DEVICE
#endif
