#include "kernels/activation.cuh"
#include "kernels/elementwise/relu6.h"
#include "kernels/map.cuh"

namespace karyon::kernels::gpu {
namespace {

struct Relu6 {
    __device__ float operator()(float x) const {
        const float low = x < 0.0f ? 0.0f : x;
        return low > 6.0f ? 6.0f : low;
    }
};

struct Relu6Slope {
    __device__ float operator()(float y, float dy) const { return y > 0.0f && y < 6.0f ? dy : 0.0f; }
};

}  // namespace

void relu6_forward(Stream& stream, std::int64_t count, In x, Out y) {
    with_float_type("relu6", y.dtype(),
                    [&]<typename T>() { map("relu6_forward", stream, count, Relu6{}, x.as<T>(), y.as<T>()); });
}

void relu6_backward(Stream& stream, std::int64_t count, In y, In dy, Out dx) {
    with_float_type("relu6", dx.dtype(), [&]<typename T>() {
        map("relu6_backward", stream, count, Relu6Slope{}, y.as<T>(), dy.as<T>(), dx.as<T>());
    });
}

}  // namespace karyon::kernels::gpu
