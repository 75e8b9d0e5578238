#pragma once

#include <algorithm>
#include <memory>
#include <span>

#include "kernels/conv/blocked_gradient.h"
#include "kernels/conv/conv2d.h"
#include "kernels/conv/onednn.h"

/// oneDNN convolutions by shape, made once and kept.
namespace karyon::kernels::cpu {

struct Conv2dRequest {
    Conv2dShape shape;
    DType type = DType::f32;  ///< of the activations and, but for their gradient, of the weights
    onednn::Direction direction = onednn::Direction::forward;
    bool with_bias = false, with_relu = false;
};

/// What a request needs at run time: the convolution and the reorder between the caller's weights and the layout that
/// the convolution prefers.
struct Conv2dPlan {
    dnnl::memory::desc src, weights, bias, dst;
    bool swapped = false;     ///< of backward_weights: x and dy have changed places
    BlockedGradient blocked;  ///< of backward_weights, where the gradient has that layout; else no taps
    onednn::Convolution convolution;
    onednn::Reorder reorder;

    std::size_t packed_bytes() const { return (convolution.weights.get_size() + 63) / 64 * 64; }
    std::span<std::byte> scratch() const {
        return onednn::scratch(packed_bytes() + std::max(convolution.scratchpad_bytes, reorder.scratchpad_bytes));
    }
    /// The weights as the convolution wants them: packed into the front of `scratch`, or as they are.
    dnnl::memory pack(const void* w, std::span<std::byte> scratch) const;
    /// y of x and packed weights; the scratchpad holds convolution.scratchpad_bytes. Safe on several threads at once.
    void forward(const void* x, const dnnl::memory& packed, const float* bias, void* y,
                 std::span<std::byte> scratchpad) const;
};

/// Throws Error for a shape that is none.
void check_conv2d(const Conv2dShape&);

/// Throws Error for a shape that is none, or that oneDNN cannot do.
std::shared_ptr<const Conv2dPlan> plan_for(const Conv2dRequest&);

/// Pointers to elements of the type that a plan was made for.
inline const void* data(In x, DType type) {
    return type == DType::f32 ? static_cast<const void*>(x.as<float>()) : x.as<bfloat16>();
}
inline void* data(Out y, DType type) {
    return type == DType::f32 ? static_cast<void*>(y.as<float>()) : y.as<bfloat16>();
}

}  // namespace karyon::kernels::cpu
