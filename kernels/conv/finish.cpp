#include "kernels/conv/finish.h"

#include "kernels/elementwise/activation_math.h"

namespace karyon::kernels::cpu {
namespace {

template <Activation f, typename T>
KARYON_INLINE void finish_as(std::int64_t count, const T* residual, T* y) {
    if (residual) {
#pragma GCC ivdep
        for (std::int64_t i = 0; i < count; ++i) y[i] = T(activate<f>(float(y[i])) + float(residual[i]));
    } else if constexpr (f != Activation::none) {
#pragma GCC ivdep
        for (std::int64_t i = 0; i < count; ++i) y[i] = T(activate<f>(float(y[i])));
    }
}

template <typename T>
KARYON_SIMD void run(Activation f, std::int64_t count, const T* residual, T* y) {
    switch (f) {
        case Activation::none:
            return finish_as<Activation::none>(count, residual, y);
        case Activation::relu:
            return finish_as<Activation::relu>(count, residual, y);
        case Activation::silu:
            return finish_as<Activation::silu>(count, residual, y);
        case Activation::sigmoid:
            return finish_as<Activation::sigmoid>(count, residual, y);
    }
}

}  // namespace

template <typename T>
void finish(Activation f, std::int64_t count, const T* residual, T* y) {
    run(f, count, residual, y);
}
template void finish(Activation, std::int64_t, const float*, float*);
template void finish(Activation, std::int64_t, const bfloat16*, bfloat16*);

}  // namespace karyon::kernels::cpu
