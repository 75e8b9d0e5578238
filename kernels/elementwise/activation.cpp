#include "kernels/elementwise/activation.h"

#include "kernels/blocks.h"
#include "kernels/elementwise/activation_math.h"
#include "kernels/float_type.h"

namespace karyon::kernels {

std::string_view name_of(Activation activation) {
    switch (activation) {
        case Activation::none:
            return "none";
        case Activation::relu:
            return "relu";
        case Activation::silu:
            return "silu";
        case Activation::sigmoid:
            return "sigmoid";
    }
    return "?";
}

Cost activation_cost(std::int64_t count, DType type) {
    const auto elements = static_cast<double>(count);
    return {2 * elements * static_cast<double>(size_of(type)), elements};
}

namespace cpu {
namespace {

// ivdep: x and y are either the same buffer or apart, so that no element depends on another.
template <Activation f, typename T>
KARYON_INLINE void forward_loop(std::int64_t count, const T* x, T* y) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) y[i] = T(activate<f>(float(x[i])));
}

template <Activation f, typename T>
KARYON_INLINE void backward_loop(std::int64_t count, const T* x, const T* dy, T* dx) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) dx[i] = T(float(dy[i]) * activation_slope<f>(float(x[i])));
}

template <typename T>
KARYON_SIMD void forward_block(Activation f, std::int64_t count, const T* x, T* y) {
    switch (f) {
        case Activation::none:
            return forward_loop<Activation::none>(count, x, y);
        case Activation::relu:
            return forward_loop<Activation::relu>(count, x, y);
        case Activation::silu:
            return forward_loop<Activation::silu>(count, x, y);
        case Activation::sigmoid:
            return forward_loop<Activation::sigmoid>(count, x, y);
    }
}

template <typename T>
KARYON_SIMD void backward_block(Activation f, std::int64_t count, const T* x, const T* dy, T* dx) {
    switch (f) {
        case Activation::none:
            return backward_loop<Activation::none>(count, x, dy, dx);
        case Activation::relu:
            return backward_loop<Activation::relu>(count, x, dy, dx);
        case Activation::silu:
            return backward_loop<Activation::silu>(count, x, dy, dx);
        case Activation::sigmoid:
            return backward_loop<Activation::sigmoid>(count, x, dy, dx);
    }
}

}  // namespace

void activation_forward(Stream&, Activation f, std::int64_t count, In x, Out y) {
    with_float_type("activation", x.dtype(), [=]<typename T>() {
        const T* from = x.as<T>();
        T* to = y.as<T>();
        for_each_block(count, block_elements, [=](std::int64_t, std::int64_t begin, std::int64_t size) {
            forward_block(f, size, from + begin, to + begin);
        });
    });
}

void activation_backward(Stream&, Activation f, std::int64_t count, In x, In dy, Out dx) {
    with_float_type("activation", x.dtype(), [=]<typename T>() {
        const T *from = x.as<T>(), *gradient = dy.as<T>();
        T* to = dx.as<T>();
        for_each_block(count, block_elements, [=](std::int64_t, std::int64_t begin, std::int64_t size) {
            backward_block(f, size, from + begin, gradient + begin, to + begin);
        });
    });
}

}  // namespace cpu
}  // namespace karyon::kernels
