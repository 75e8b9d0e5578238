#pragma once

#include "kernels/conv/gemm_plan.h"
#include "kernels/conv/gemm_prologue.cuh"
#include "kernels/conv/gemm_sources.cuh"

namespace karyon::kernels::gpu {

/// The three passes of a convolution as products of matrices C[M, N] = A[M, K] B[K, N]:
///
///                      M           N            K            A               B
///   forward            pixels y    out          (tap, in)    x, gathered     w
///   backward_data      pixels x    in           (tap, out)   dy, gathered    w, the kernel flipped
///   backward_weights   out         (tap, in)    pixels y     dy              x, gathered
enum class Pass { forward, backward_data, backward_weights };

/// What one launch computes. `pixels` is the gathered operand and `matrix` the other one.
template <typename T>
struct GemmArguments {
    Pixels<T> pixels;
    Matrix<T> matrix;
    DevicePrologue prologue;  ///< on `pixels`
    int rows, columns;        ///< M, N
    int depth;                ///< K
    bool three_products;      ///< f32 as 3xTF32

    // forward and backward_data: y = f(C + bias) + residual, its columns from `split` on in a tensor of their own
    int row_tiles_of_block;
    T *first, *second;
    int split;
    bool vector_store;  ///< 16 bytes at a time: as widths and pointers allow
    const float* bias;
    Activation activation;
    const T* residual;
    float *counts, *means, *m2s;  ///< PartialMoments with one tile per block along M, or null

    // backward_weights: K in slices of so many stages, each with a C of its own at slices + slice * M * N; a single
    // slice is added to what is there
    int steps_of_slice, slice_count;
    float* slices;
};

/// Queues the product. Defined in gemm_launch.cuh; each instance has a file of its own, so that they are compiled side
/// by side.
template <typename T, Pass pass>
void launch_gemm(const char* op, Stream&, const GemmArguments<T>&, const GemmPlan&);

}  // namespace karyon::kernels::gpu
