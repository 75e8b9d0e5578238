#include "kernels/conv/gemm_launch.cuh"

namespace karyon::kernels::gpu {

template void launch_gemm<float, Pass::backward_data>(const char*, Stream&, const GemmArguments<float>&,
                                                      const GemmPlan&);

}  // namespace karyon::kernels::gpu
