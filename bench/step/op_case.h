#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace karyon::bench {

/// What an op's multiplications are held against.
enum class Arithmetic { f32, bf16 };

/// One op with buffers of its own, to be run again and again.
struct OpCall {
    std::function<void()> ours;
    std::function<void()> onednn;  ///< the same work by oneDNN's primitive alone; empty: none
};

/// An op at one place of the network.
struct OpCase {
    std::string op, layer, shape;
    DType type = DType::f32;
    kernels::Cost cost;
    std::function<OpCall()> make;
    Arithmetic arithmetic = Arithmetic::f32;

    std::string name() const;
};

/// EfficientNet-B4 U-Net, decoder `smp`, 256x256, batch 8. f32 and, where the processor multiplies it, bf16.
std::vector<OpCase> dense_cases();
std::vector<OpCase> depthwise_cases();
std::vector<OpCase> norm_cases();
std::vector<OpCase> excite_cases();
std::vector<OpCase> elementwise_cases();
std::vector<OpCase> loss_and_optimizer_cases();

/// f32, and bf16 too where the processor multiplies it.
std::vector<DType> op_types();

/// Uniform values; they repeat after some thousand elements, which no op can notice.
Tensor filled(Shape, DType, float low = -1, float high = 1);
/// Zeros whose pages have been touched.
Tensor zeroed(Shape, DType);

}  // namespace karyon::bench
