#include "kernels/channel_sums.cuh"
#include "kernels/norm/normalise.cuh"
#include "kernels/norm/residual_sum.h"

namespace karyon::kernels::gpu {
namespace {

// Mean and scale of x, those of the shortcut, and the sum of the two betas.
struct Coefficients {
    static constexpr int count = 5;
    Normalisation x, shortcut;

    __device__ void operator()(int channel, float (&value)[count]) const {
        float of_shortcut[3];
        x.coefficients(channel, value);
        shortcut.coefficients(channel, of_shortcut);
        value[4] = value[2] + of_shortcut[2];
        value[2] = of_shortcut[0];
        value[3] = of_shortcut[1];
    }
};

// Both ways compute z by this, so that ReLU cuts at the same elements.
__device__ inline float z_of(float distance, float scale, float shortcut_distance, float shortcut_scale, float beta) {
    return normalised(shortcut_distance, shortcut_scale, normalised(distance, scale, beta));
}

template <typename T>
__global__ __launch_bounds__(ChannelSlabs::block_threads,
                             2) void residual_sum_kernel(ChannelSlabs slabs, Coefficients coefficients, const T* x,
                                                         const T* shortcut, T* y) {
    constexpr int width = Pack<T>::width;
    __shared__ alignas(16) float shared[Coefficients::count * SlabThread<T>::Coefficients::size];
    const SlabThread<T> thread(slabs);
    float of[Coefficients::count][width];
    load_coefficients(thread, slabs, shared, of, coefficients);
    for_each_pack<2>(thread, {x, shortcut}, y, [&](int, const auto& in, auto& out, int) {
#pragma unroll
        for (int k = 0; k < width; ++k)
            out[k] = activate<Activation::relu>(
                z_of(in[0][k] - of[0][k], of[1][k], in[1][k] - of[2][k], of[3][k], of[4][k]));
    });
}

// dz, and the sums of dz, dz * (x - mean) and dz * (shortcut - its mean) over the block's rows.
template <typename T>
__global__ __launch_bounds__(ChannelSlabs::block_threads,
                             2) void residual_sum_backward_kernel(ChannelSlabs slabs, Coefficients coefficients,
                                                                  const T* x, const T* shortcut, const T* dy, T* dz,
                                                                  float* partial) {
    constexpr int width = Pack<T>::width;
    __shared__ alignas(16) float shared[SlabThread<T>::Rows::size];
    const SlabThread<T> thread(slabs);
    float of[Coefficients::count][width], sums[3][width] = {};
    load_coefficients(thread, slabs, shared, of, coefficients);
    for_each_pack<16 / width / 2>(thread, {x, shortcut, dy}, dz, [&](int, const auto& in, auto& out, int valid) {
#pragma unroll
        for (int k = 0; k < width; ++k) {
            if (k >= valid) continue;
            const float d = in[0][k] - of[0][k], d_shortcut = in[1][k] - of[2][k];
            const float g =
                in[2][k] * activation_slope<Activation::relu>(z_of(d, of[1][k], d_shortcut, of[3][k], of[4][k]));
            sums[0][k] += g;
            sums[1][k] += g * d;
            sums[2][k] += g * d_shortcut;
            out[k] = g;
        }
    });
    write_partial_sums(thread, slabs, sums, shared, partial);
}

struct FinishSums {
    Normalisation x, shortcut;
    float *sum, *sum_xhat, *sum_xhat_shortcut;

    __device__ void operator()(int, int channel, const float (&sums)[3]) const {
        sum[channel] = sums[0];
        sum_xhat[channel] = sums[1] * x.inverse(channel);
        if (sum_xhat_shortcut) sum_xhat_shortcut[channel] = sums[2] * shortcut.inverse(channel);
    }
};

}  // namespace

void residual_sum_forward(Stream& stream, const ResidualSumShape& shape, In x, const Prologue& bn, In shortcut,
                          const Prologue& shortcut_bn, Out y) {
    constexpr const char* op = "residual_sum_forward";
    if (shape.rows == 0) return;
    with_float_type(op, y.dtype(), [&]<typename T>() {
        const auto slabs = elementwise_slabs<T>(1, shape.rows, shape.channels);
        launch(op, stream, slabs.grid(), residual_sum_kernel<T>, slabs,
               Coefficients{Normalisation(bn), Normalisation(shortcut_bn)}, x.as<T>(), shortcut.as<T>(), y.as<T>());
    });
}

void residual_sum_backward(Stream& stream, const ResidualSumShape& shape, In x, const Prologue& bn, In shortcut,
                           const Prologue& shortcut_bn, In dy, Out dz, Out sum_dz, Out sum_dz_xhat,
                           Out sum_dz_xhat_shortcut) {
    constexpr const char* op = "residual_sum_backward";
    if (shape.rows == 0) return;
    const Normalisation of_x(bn), of_shortcut(shortcut_bn);
    with_float_type(op, dz.dtype(), [&]<typename T>() {
        const auto slabs = reduction_slabs<T>(1, shape.rows, shape.channels);
        auto* partial = static_cast<float*>(static_cast<CudaStream&>(stream).scratch(partial_sums_bytes(slabs, 3)));
        launch(op, stream, slabs.grid(), residual_sum_backward_kernel<T>, slabs, Coefficients{of_x, of_shortcut},
               x.as<T>(), shortcut.as<T>(), dy.as<T>(), dz.as<T>(), partial);
        fold_partial_sums<3>(op, stream, slabs, partial,
                             FinishSums{of_x, of_shortcut, sum_dz.as<float>(), sum_dz_xhat.as<float>(),
                                        sum_dz_xhat_shortcut.as<float>()});
    });
}

}  // namespace karyon::kernels::gpu
