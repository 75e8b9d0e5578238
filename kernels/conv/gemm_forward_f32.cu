#include "kernels/conv/gemm_launch.cuh"

namespace karyon::kernels::gpu {

template void launch_gemm<float, Pass::forward>(const char*, Stream&, const GemmArguments<float>&, const GemmPlan&);

}  // namespace karyon::kernels::gpu
