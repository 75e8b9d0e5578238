#include "kernels/activation.cuh"
#include "kernels/elementwise/activation.h"
#include "kernels/map.cuh"

namespace karyon::kernels::gpu {
namespace {

template <Activation f>
struct Forward {
    __device__ float operator()(float x) const { return activate<f>(x); }
};

template <Activation f>
struct Backward {
    __device__ float operator()(float x, float dy) const {
        if constexpr (f == Activation::relu)
            return x > 0.0f ? dy : 0.0f;
        else
            return dy * activation_slope<f>(x);
    }
};

}  // namespace

void activation_forward(Stream& stream, Activation f, std::int64_t count, In x, Out y) {
    with_float_type("activation", y.dtype(), [&]<typename T>() {
        with_activation(
            f, [&]<Activation g>() { map("activation_forward", stream, count, Forward<g>{}, x.as<T>(), y.as<T>()); });
    });
}

void activation_backward(Stream& stream, Activation f, std::int64_t count, In x, In dy, Out dx) {
    with_float_type("activation", dx.dtype(), [&]<typename T>() {
        with_activation(f, [&]<Activation g>() {
            map("activation_backward", stream, count, Backward<g>{}, x.as<T>(), dy.as<T>(), dx.as<T>());
        });
    });
}

}  // namespace karyon::kernels::gpu
