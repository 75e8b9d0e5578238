#include "kernels/conv/finish.h"

#include "kernels/bfloat16_rows.h"
#include "kernels/elementwise/activation_math.h"

namespace karyon::kernels::cpu {
namespace {

template <Activation f, typename T>
KARYON_INLINE void finish_as(std::int64_t count, const T* residual, T* y) {
    if (residual)
        write_each(count, y,
                   [=](std::int64_t i) KARYON_INLINE_LAMBDA { return activate<f>(float(y[i])) + float(residual[i]); });
    else if constexpr (f != Activation::none)
        write_each(count, y, [=](std::int64_t i) KARYON_INLINE_LAMBDA { return activate<f>(float(y[i])); });
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

template <Activation f>
KARYON_INLINE void finish_pixels_as(int pixels, std::ptrdiff_t step, int channels, float* y) {
    for (int pixel = 0; pixel < pixels; ++pixel, y += step)
#pragma GCC ivdep
        for (int c = 0; c < channels; ++c) y[c] = activate<f>(y[c]);
}

KARYON_SIMD void run_pixels(Activation f, int pixels, std::ptrdiff_t step, int channels, float* y) {
    switch (f) {
        case Activation::none:
            return;
        case Activation::relu:
            return finish_pixels_as<Activation::relu>(pixels, step, channels, y);
        case Activation::silu:
            return finish_pixels_as<Activation::silu>(pixels, step, channels, y);
        case Activation::sigmoid:
            return finish_pixels_as<Activation::sigmoid>(pixels, step, channels, y);
    }
}

}  // namespace

template <typename T>
void finish(Activation f, std::int64_t count, const T* residual, T* y) {
    run(f, count, residual, y);
}
template void finish(Activation, std::int64_t, const float*, float*);
template void finish(Activation, std::int64_t, const bfloat16*, bfloat16*);

void finish_pixels(Activation f, int pixels, std::ptrdiff_t step, int channels, float* y) {
    run_pixels(f, pixels, step, channels, y);
}

}  // namespace karyon::kernels::cpu
