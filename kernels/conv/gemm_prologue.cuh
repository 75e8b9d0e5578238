#pragma once

#include <cstddef>

#include "kernels/conv/gemm_vector.cuh"
#include "kernels/norm/normalise.cuh"

namespace karyon::kernels::gpu {

/// A Prologue on the device. The coefficients of all channels stand in shared memory: a row of means, one of scales and
/// one of betas.
struct DevicePrologue {
    Normalisation bn;
    Activation activation;
    const float* gate;
    int channels, row_length;

    DevicePrologue() : DevicePrologue({}, 0) {}
    DevicePrologue(const Prologue& p, int channel_count)
        : bn(p),
          activation(p.mean ? p.activation : Activation::none),
          gate(p.gate.as<float>()),
          channels(channel_count),
          row_length((channel_count + 3) / 4 * 4) {}

    __host__ __device__ explicit operator bool() const { return bn.mean || gate; }
    /// Of shared memory, for the coefficients.
    std::size_t shared_bytes() const { return *this ? sizeof(float) * 3 * static_cast<std::size_t>(row_length) : 0; }

    /// Called by all threads of the block; a barrier must follow.
    template <int threads>
    __device__ void prepare(float* coefficients) const {
#pragma unroll 1
        for (int c = static_cast<int>(threadIdx.x); c < channels; c += threads) {
            float value[3];
            bn.coefficients(c, value);
#pragma unroll
            for (int i = 0; i < 3; ++i) coefficients[i * row_length + c] = value[i];
        }
    }

    /// Normalises `count` neighbouring channels of a pixel where they lie in shared memory.
    template <int count, typename T>
    __device__ void apply(T* at, int image, int channel, const float* coefficients) const {
        if constexpr (count == 8) {
            // In two steps, since there are no registers for 8 channels beside the sums. Half of the lanes take the
            // second four first: so that 16 lanes with 8 bytes of `at`, and 8 with 16 of the coefficients, meet all
            // banks, and neighbours in different rows fill the sectors of the gate.
            const int first = __popc(threadIdx.x & 28) % 2 * 4;
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
        float mean[count], scale[count], beta[count];
        load(mean, coefficients + channel);
        load(scale, coefficients + row_length + channel);
        load(beta, coefficients + 2 * row_length + channel);
#pragma unroll
        for (int i = 0; i < count; ++i) value[i] = normalised(value[i] - mean[i], scale[i], beta[i]);
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
