#include "kernels/channel_sums.cuh"
#include "kernels/norm/batch_norm.h"
#include "kernels/norm/normalise.cuh"

namespace karyon::kernels::gpu {
namespace {

// With d = x - mean, z = d * scale + beta and g = dy * f'(z):
//   sum = sum g = dbeta;  sum_xhat = sum(g d) / deviation = dgamma
//   dx = scale * (g - sum / rows - d / deviation * sum_xhat / rows), without the last two terms where mean and variance
//   are constants.

// partial: sum g, sum(g d) of the block's rows; where dx is given, also dx = scale * g.
template <typename T, Activation f>
__global__ __launch_bounds__(ChannelSlabs::block_threads,
                             2) void backward_sums_kernel(ChannelSlabs slabs, Normalisation bn, const T* x, const T* dy,
                                                          T* dx, float* partial) {
    constexpr int width = Pack<T>::width;
    __shared__ alignas(16) float shared[SlabThread<T>::Rows::size];
    const SlabThread<T> thread(slabs);
    float of[3][width], sums[2][width] = {};
    load_coefficients(thread, slabs, shared, of,
                      [&](int channel, float(&value)[3]) { bn.coefficients(channel, value); });
    for_each_pack<2>(thread, {x, dy}, dx, [&](int, const auto& in, auto& out, int valid) {
#pragma unroll
        for (int k = 0; k < width; ++k) {
            if (k >= valid) continue;
            const float d = in[0][k] - of[0][k];
            const float g = in[1][k] * activation_slope<f>(normalised(d, of[1][k], of[2][k]));
            sums[0][k] += g;
            sums[1][k] += g * d;
            out[k] = of[1][k] * g;
        }
    });
    write_partial_sums(thread, slabs, sums, shared, partial);
}

// The sums over all rows, and what they add to the gradients of the parameters.
struct FinishSums {
    Normalisation bn;
    float *sum, *sum_xhat, *dgamma, *dbeta;

    __device__ void operator()(int, int channel, const float (&sums)[2]) const {
        const float of_xhat = sums[1] * bn.inverse(channel);
        sum[channel] = sums[0];
        sum_xhat[channel] = of_xhat;
        if (dgamma) dgamma[channel] += of_xhat;
        if (dbeta) dbeta[channel] += sums[0];
    }
};

// dx from the two sums; f is none where dy is already the gradient behind the activation. Adds the sums to dgamma and
// dbeta, where these are given.
template <typename T, Activation f>
__global__ __launch_bounds__(ChannelSlabs::block_threads,
                             2) void backward_apply_kernel(ChannelSlabs slabs, Normalisation bn, const T* x,
                                                           const T* dy, const float* sum, const float* sum_xhat, T* dx,
                                                           float* dgamma, float* dbeta) {
    constexpr int width = Pack<T>::width;
    __shared__ alignas(16) float shared[5 * SlabThread<T>::Coefficients::size];
    const SlabThread<T> thread(slabs);
    const float per_row = 1.0f / static_cast<float>(slabs.rows);
    float of[5][width];
    load_coefficients(thread, slabs, shared, of, [&](int channel, float(&value)[5]) {
        const float inverse = bn.coefficients(channel, value);
        value[3] = value[1] * sum[channel] * per_row;
        value[4] = value[1] * inverse * sum_xhat[channel] * per_row;
    });
    const int element = thread.first_element + static_cast<int>(threadIdx.x);
    if (thread.chunk == 0 && static_cast<int>(threadIdx.x) < thread.elements && element < slabs.channels) {
        if (dgamma) dgamma[element] += sum_xhat[element];
        if (dbeta) dbeta[element] += sum[element];
    }
    for_each_pack<2>(thread, {x, dy}, dx, [&](int, const auto& in, auto& out, int) {
#pragma unroll
        for (int k = 0; k < width; ++k) {
            const float d = in[0][k] - of[0][k];
            const float g = in[1][k] * activation_slope<f>(normalised(d, of[1][k], of[2][k]));
            out[k] = of[1][k] * g - fmaf(d, of[4][k], of[3][k]);
        }
    });
}

template <typename T, Activation f>
void launch_apply(const char* op, Stream& stream, const BatchNormShape& shape, const Normalisation& bn, In x, In dy,
                  const float* sum, const float* sum_xhat, Out dx, float* dgamma, float* dbeta) {
    const auto slabs = elementwise_slabs<T>(1, shape.rows, shape.channels);
    launch(op, stream, slabs.grid(), backward_apply_kernel<T, f>, slabs, bn, x.as<T>(), dy.as<T>(), sum, sum_xhat,
           dx.as<T>(), dgamma, dbeta);
}

// dx is written by the pass that sums where the statistics are constants, else by a second one.
void backward(const char* op, Stream& stream, const BatchNormShape& shape, bool frozen, In x, const Normalisation& bn,
              In dy, Out dx, Out dgamma, Out dbeta) {
    if (shape.rows == 0) return;
    with_float_type(op, x.dtype(), [&]<typename T>() {
        with_activation(shape.activation, [&]<Activation f>() {
            const auto slabs = reduction_slabs<T>(1, shape.rows, shape.channels);
            auto* sum = static_cast<float*>(static_cast<CudaStream&>(stream).scratch(
                partial_sums_bytes(slabs, 2) + 2 * sizeof(float) * static_cast<std::size_t>(shape.channels)));
            float *sum_xhat = sum + shape.channels, *partial = sum_xhat + shape.channels;
            launch(op, stream, slabs.grid(), backward_sums_kernel<T, f>, slabs, bn, x.as<T>(), dy.as<T>(),
                   frozen ? dx.as<T>() : nullptr, partial);
            fold_partial_sums<2>(op, stream, slabs, partial,
                                 FinishSums{bn, sum, sum_xhat, dgamma.as<float>(), dbeta.as<float>()});
            if (!frozen) launch_apply<T, f>(op, stream, shape, bn, x, dy, sum, sum_xhat, dx, nullptr, nullptr);
        });
    });
}

}  // namespace

void batch_norm_backward(Stream& stream, const BatchNormShape& shape, In x, In mean, In variance, In gamma, In beta,
                         In dy, Out dx, Out dgamma, Out dbeta) {
    backward("batch_norm_backward", stream, shape, false, x, {mean, variance, gamma, beta, shape.eps}, dy, dx, dgamma,
             dbeta);
}

void batch_norm_backward_frozen(Stream& stream, const BatchNormShape& shape, In x, In mean, In variance, In gamma,
                                In beta, In dy, Out dx, Out dgamma, Out dbeta) {
    backward("batch_norm_backward_frozen", stream, shape, true, x, {mean, variance, gamma, beta, shape.eps}, dy, dx,
             dgamma, dbeta);
}

void batch_norm_backward_apply(Stream& stream, const BatchNormShape& shape, In x, In mean, In variance, In gamma, In dz,
                               In sum_dz, In sum_dz_xhat, Out dx, Out dgamma, Out dbeta) {
    constexpr const char* op = "batch_norm_backward_apply";
    if (shape.rows == 0) return;
    with_float_type(op, x.dtype(), [&]<typename T>() {
        // beta has no part in it; gamma stands in its place.
        launch_apply<T, Activation::none>(op, stream, shape, {mean, variance, gamma, gamma, shape.eps}, x, dz,
                                          sum_dz.as<float>(), sum_dz_xhat.as<float>(), dx, dgamma.as<float>(),
                                          dbeta.as<float>());
    });
}

}  // namespace karyon::kernels::gpu
