#include "kernels/conv/finish.h"

#include <algorithm>

#include "kernels/bfloat16_rows.h"
#include "kernels/elementwise/activation_math.h"

namespace karyon::kernels::cpu {
namespace {

template <Activation f, typename T>
KARYON_INLINE void finish_as(std::int64_t count, const T* z, const T* residual, float* y) {
    if (residual) {
#pragma GCC ivdep
        for (std::int64_t i = 0; i < count; ++i) y[i] = activate<f>(float(z[i])) + float(residual[i]);
    } else {
#pragma GCC ivdep
        for (std::int64_t i = 0; i < count; ++i) y[i] = activate<f>(float(z[i]));
    }
}

/// y = f(z) + residual (null: 0).
template <typename T>
KARYON_SIMD void run(Activation f, std::int64_t count, const T* z, const T* residual, float* y) {
    switch (f) {
        case Activation::none:
            return finish_as<Activation::none>(count, z, residual, y);
        case Activation::relu:
            return finish_as<Activation::relu>(count, z, residual, y);
        case Activation::silu:
            return finish_as<Activation::silu>(count, z, residual, y);
        case Activation::sigmoid:
            return finish_as<Activation::sigmoid>(count, z, residual, y);
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

void finish(Activation f, std::int64_t count, const float* residual, float* y) {
    if (f != Activation::none || residual) run(f, count, y, residual, y);
}

void finish(Activation f, std::int64_t count, const bfloat16* residual, bfloat16* y) {
    if (f == Activation::none && !residual) return;
    constexpr std::int64_t most = 2048;
    float values[most];
    for (std::int64_t begin = 0; begin < count; begin += most) {
        const std::int64_t size = std::min(most, count - begin);
        if (f == Activation::silu && !residual) {
            silu_rows(1, int(size), y + begin, 0, y + begin, 0);
        } else {
            run(f, size, y + begin, residual ? residual + begin : nullptr, values);
            round_rows(1, int(size), values, 0, y + begin, 0);
        }
    }
}

void finish_rows(Activation f, std::int64_t rows, int count, float* from, bfloat16* to, std::ptrdiff_t to_step) {
    if (f == Activation::silu) return silu_rows(rows, count, from, count, to, to_step);
    finish(f, rows * count, nullptr, from);
    round_rows(rows, count, from, count, to, to_step);
}

void finish_pixels(Activation f, int pixels, std::ptrdiff_t step, int channels, float* y) {
    run_pixels(f, pixels, step, channels, y);
}

}  // namespace karyon::kernels::cpu
