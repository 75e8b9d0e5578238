#include "kernels/excite/excitation.cuh"
#include "kernels/excite/fused_excite.h"
#include "kernels/excite/pool.cuh"

namespace karyon::kernels::gpu {
namespace {

// partial [images, tiles, 5, channels]: A, B, C, D and F of the block's rows; D and F of distances from the mean, not
// of xhat.
constexpr int sum_count = 5;

template <typename T, Activation f>
__global__ __launch_bounds__(ChannelSlabs::block_threads, 2) void five_sums_kernel(ChannelSlabs slabs, Normalisation bn,
                                                                                   const T* d, const T* dv_gated,
                                                                                   float* partial) {
    constexpr int width = Pack<T>::width;
    __shared__ alignas(16) float shared[SlabThread<T>::Rows::size];
    const SlabThread<T> thread(slabs);
    float of[3][width], sums[sum_count][width] = {};
    load_coefficients(thread, slabs, shared, of,
                      [&](int channel, float(&value)[3]) { bn.coefficients(channel, value); });
    for_each_pack<2>(thread, {d, dv_gated}, static_cast<T*>(nullptr), [&](int, const auto& in, auto&, int valid) {
#pragma unroll
        for (int k = 0; k < width; ++k) {
            if (k >= valid) continue;
            const float distance = in[0][k] - of[0][k], z = normalised(distance, of[1][k], of[2][k]);
            const float slope = activation_slope<f>(z), gradient = in[1][k] * slope;
            sums[0][k] += in[1][k] * activate<f>(z);
            sums[1][k] += gradient;
            sums[2][k] += slope;
            sums[3][k] += gradient * distance;
            sums[4][k] += slope * distance;
        }
    });
    write_partial_sums(thread, slabs, sums, shared, partial);
}

// The sums over all images that batch normalisation needs, and what they add to the gradients of its parameters.
__global__ void combine_sums_kernel(SqueezeExciteShape shape, Normalisation bn, const float* five, const float* gate,
                                    const float* dpixel, float* sum, float* sum_xhat, float* dgamma, float* dbeta) {
    const int channels = shape.channels, c = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
    if (c >= channels) return;
    float of_dz = 0, of_distance = 0;
#pragma unroll 4
    for (int n = 0; n < shape.batch; ++n) {
        const std::int64_t at = static_cast<std::int64_t>(n) * channels + c;
        const float* sums = five + static_cast<std::int64_t>(n) * sum_count * channels + c;
        of_dz += gate[at] * sums[channels] + dpixel[at] * sums[2 * channels];
        of_distance += gate[at] * sums[3 * channels] + dpixel[at] * sums[4 * channels];
    }
    const float of_xhat = of_distance * bn.inverse(c);
    sum[c] = of_dz;
    sum_xhat[c] = of_xhat;
    if (dgamma) dgamma[c] += of_xhat;
    if (dbeta) dbeta[c] += of_dz;
}

// dd; sum and sum_xhat null: the statistics are constants.
template <typename T, Activation f>
__global__ __launch_bounds__(ChannelSlabs::block_threads,
                             2) void input_gradient_kernel(ChannelSlabs slabs, Normalisation bn, const T* d,
                                                           const T* dv_gated, const float* gate, const float* dpixel,
                                                           const float* sum, const float* sum_xhat, T* dd) {
    constexpr int width = Pack<T>::width;
    __shared__ alignas(16) float shared[7 * SlabThread<T>::Coefficients::size];
    const SlabThread<T> thread(slabs);
    const std::int64_t image = static_cast<std::int64_t>(thread.image) * slabs.channels;
    const float per_row = 1.0f / (static_cast<float>(slabs.rows) * static_cast<float>(slabs.images));
    float of[7][width];
    load_coefficients(thread, slabs, shared, of, [&](int channel, float(&value)[7]) {
        const float inverse = bn.coefficients(channel, value), scale = value[1];
        value[3] = scale * gate[image + channel];
        value[4] = scale * dpixel[image + channel];
        value[5] = sum ? scale * sum[channel] * per_row : 0.0f;
        value[6] = sum ? scale * inverse * sum_xhat[channel] * per_row : 0.0f;
    });
    for_each_pack<2>(thread, {d, dv_gated}, dd, [&](int, const auto& in, auto& out, int) {
#pragma unroll
        for (int k = 0; k < width; ++k) {
            const float distance = in[0][k] - of[0][k];
            const float slope = activation_slope<f>(normalised(distance, of[1][k], of[2][k]));
            out[k] = slope * fmaf(in[1][k], of[3][k], of[4][k]) - fmaf(distance, of[6][k], of[5][k]);
        }
    });
}

Normalisation normalisation_of(const char* op, const Prologue& bn) {
    if (!bn.mean) throw Error(op, "expected the statistics of a batch normalisation, got none");
    return Normalisation(bn);
}

}  // namespace

void excite_fused_gate(Stream& stream, const SqueezeExciteShape& shape, In d, const Prologue& bn, In w1, In b1, In w2,
                       In b2, Out pooled, Out hidden, Out gate) {
    constexpr const char* op = "excite_fused_gate";
    with_float_type(op, d.dtype(), [&]<typename T>() {
        with_activation(bn.activation, [&]<Activation f>() {
            pool<T, f>(op, stream, shape, normalisation_of(op, bn), d, pooled.as<float>());
        });
    });
    excite_forward(op, stream, shape, {w1.as<float>(), b1.as<float>(), w2.as<float>(), b2.as<float>()},
                   pooled.as<float>(), hidden.as<float>(), gate.as<float>());
}

void excite_fused_backward(Stream& stream, const SqueezeExciteShape& shape, In d, const Prologue& bn, bool frozen,
                           In w1, In w2, In pooled, In hidden, In gate, In dv_gated, Out dd, Out dw1, Out db1, Out dw2,
                           Out db2, Out dgamma, Out dbeta) {
    constexpr const char* op = "excite_fused_backward";
    constexpr unsigned channel_threads = 128;
    const Normalisation of_bn = normalisation_of(op, bn);
    const auto channels = static_cast<std::size_t>(shape.channels);
    const std::size_t per_image = static_cast<std::size_t>(shape.batch) * channels;
    const ExciteWeights weights{w1.as<float>(), nullptr, w2.as<float>(), nullptr};
    const ExciteGradients gradients{dw1.as<float>(), db1.as<float>(), dw2.as<float>(), db2.as<float>()};
    const float* gates = gate.as<float>();
    with_float_type(op, d.dtype(), [&]<typename T>() {
        with_activation(bn.activation, [&]<Activation f>() {
            const auto slabs = reduction_slabs<T>(shape.batch, shape.pixels, shape.channels);
            auto* five = static_cast<float*>(static_cast<CudaStream&>(stream).scratch(
                sizeof(float) * ((sum_count + 1) * per_image + 2 * channels) + ExciteScratch::bytes(shape) +
                partial_sums_bytes(slabs, sum_count)));
            float *dpixel = five + sum_count * per_image, *sum = dpixel + per_image, *sum_xhat = sum + channels;
            float *excite = sum_xhat + channels, *partial = excite + ExciteScratch::bytes(shape) / sizeof(float);

            launch(op, stream, slabs.grid(), five_sums_kernel<T, f>, slabs, of_bn, d.as<T>(), dv_gated.as<T>(),
                   sums_target(slabs, partial, five));
            fold_to<sum_count>(op, stream, slabs, partial, five);
            excite_backward(op, stream, shape, weights, pooled.as<float>(), hidden.as<float>(), gates, five,
                            sum_count * static_cast<std::int64_t>(shape.channels), {shape, excite}, dpixel, gradients);
            const unsigned blocks = (static_cast<unsigned>(shape.channels) + channel_threads - 1) / channel_threads;
            launch(op, stream, {blocks, channel_threads}, combine_sums_kernel, shape, of_bn, five, gates, dpixel, sum,
                   sum_xhat, dgamma.as<float>(), dbeta.as<float>());
            const auto all = elementwise_slabs<T>(shape.batch, shape.pixels, shape.channels);
            launch(op, stream, all.grid(), input_gradient_kernel<T, f>, all, of_bn, d.as<T>(), dv_gated.as<T>(), gates,
                   dpixel, frozen ? nullptr : sum, frozen ? nullptr : sum_xhat, dd.as<T>());
        });
    });
}

}  // namespace karyon::kernels::gpu
