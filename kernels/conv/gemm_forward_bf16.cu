#include "kernels/conv/gemm_launch.cuh"

namespace karyon::kernels::gpu {

template void launch_gemm<bfloat16, Pass::forward>(const char*, Stream&, const GemmArguments<bfloat16>&,
                                                   const GemmPlan&);

}  // namespace karyon::kernels::gpu
