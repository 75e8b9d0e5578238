#pragma once

#include <cstddef>

#include "kernels/conv/gemm_vector.cuh"
#include "kernels/fusion.h"

namespace karyon::kernels::gpu {

/// A Prologue on the device. The coefficients of all channels stand in shared memory: a row of means, one of scales and
/// one of betas.
struct Normalise {
    const float *mean = nullptr, *variance = nullptr, *gamma = nullptr, *beta = nullptr, *gate = nullptr;
    float eps = 0;
    Activation activation = Activation::none;
    int channels = 0, row_length = 0;

    Normalise() = default;
    Normalise(const Prologue& p, int channel_count)
        : gate(p.gate.as<float>()), eps(p.eps), channels(channel_count), row_length((channel_count + 3) / 4 * 4) {
        if (!p.mean) return;
        mean = p.mean.as<float>(), variance = p.variance.as<float>();
        gamma = p.gamma.as<float>(), beta = p.beta.as<float>();
        activation = p.activation;
    }
    __host__ __device__ explicit operator bool() const { return mean || gate; }
    /// Of shared memory, for the coefficients.
    std::size_t shared_bytes() const { return *this ? sizeof(float) * 3 * static_cast<std::size_t>(row_length) : 0; }

    /// Called by all threads of the block; a barrier must follow.
    template <int threads>
    __device__ void prepare(float* coefficients) const {
        for (int c = static_cast<int>(threadIdx.x); c < channels; c += threads) {
            coefficients[c] = mean ? mean[c] : 0.0f;
            coefficients[row_length + c] = mean ? gamma[c] / sqrtf(variance[c] + eps) : 1.0f;
            coefficients[2 * row_length + c] = mean ? beta[c] : 0.0f;
        }
    }

    /// Normalises `count` neighbouring channels of a pixel where they lie in shared memory.
    template <int count, typename T>
    __device__ void apply(T* at, int image, int channel, const float* coefficients) const {
        if constexpr (count == 8) {
            // In two steps, since there are no registers for 8 channels beside the sums. Half of the lanes take the
            // second four first, so that 16 lanes with 8 bytes of `at`, and 8 with 16 of the coefficients, meet all
            // banks.
            const int first = (threadIdx.x / 4 ^ threadIdx.x / 8) % 2 * 4;
#pragma unroll 1
            for (int i = 0; i < 8; i += 4) apply<4>(at + (i ^ first), image, channel + (i ^ first), coefficients);
        } else {
            float value[count];
            load(value, at);
            normalise(value, image, channel, coefficients);
            store(at, value);
        }
    }

  private:
    template <int count>
    __device__ void normalise(float (&value)[count], int image, int channel, const float* coefficients) const {
        float centre[count], scale[count], shift[count];
        load(centre, coefficients + channel);
        load(scale, coefficients + row_length + channel);
        load(shift, coefficients + 2 * row_length + channel);
#pragma unroll
        for (int i = 0; i < count; ++i) value[i] = (value[i] - centre[i]) * scale[i] + shift[i];
        activate_all(value, activation);
        if (gate) {
            const float* const factors = gate + static_cast<std::ptrdiff_t>(image) * channels + channel;
            float factor[count];
            if constexpr (count == 4) {
                load(factor, factors);
            } else {  // it may be the gate that is not aligned
#pragma unroll
                for (int i = 0; i < count; ++i) factor[i] = factors[i];
            }
#pragma unroll
            for (int i = 0; i < count; ++i) value[i] *= factor[i];
        }
    }
};

}  // namespace karyon::kernels::gpu
