#include "kernels/channel_slabs.cuh"
#include "kernels/norm/batch_norm.h"
#include "kernels/norm/normalise.cuh"

namespace karyon::kernels::gpu {
namespace {

// y = f(z) * image_scale[image] + residual, the last two where they are given.
template <typename T, Activation f>
__global__ __launch_bounds__(ChannelSlabs::block_threads, 2) void forward_kernel(ChannelSlabs slabs, Normalisation bn,
                                                                                 const T* x, const float* image_scale,
                                                                                 const T* residual, T* y) {
    constexpr int width = Pack<T>::width;
    __shared__ alignas(16) float shared[3 * SlabThread<T>::Coefficients::size];
    const SlabThread<T> thread(slabs);
    float of[3][width];
    load_coefficients(thread, slabs, shared, of,
                      [&](int channel, float(&value)[3]) { bn.coefficients(channel, value); });
    const float factor = image_scale ? image_scale[thread.image] : 1.0f;
    for_each_pack<16 / width>(thread, {x, residual}, y, [&](int, const auto& in, auto& out, int) {
#pragma unroll
        for (int k = 0; k < width; ++k)
            out[k] = fmaf(activate<f>(normalised(in[0][k] - of[0][k], of[1][k], of[2][k])), factor, in[1][k]);
    });
}

void launch_forward(const char* op, Stream& stream, const BatchNormShape& shape, int images, std::int64_t rows, In x,
                    const Normalisation& bn, const float* image_scale, In residual, Out y) {
    if (shape.rows == 0) return;
    with_float_type(op, y.dtype(), [&]<typename T>() {
        with_activation(shape.activation, [&]<Activation f>() {
            const auto slabs = elementwise_slabs<T>(images, rows, shape.channels);
            launch(op, stream, slabs.grid(), forward_kernel<T, f>, slabs, bn, x.as<T>(), image_scale, residual.as<T>(),
                   y.as<T>());
        });
    });
}

}  // namespace

void batch_norm_forward(Stream& stream, const BatchNormShape& shape, In x, In mean, In variance, In gamma, In beta,
                        Out y) {
    launch_forward("batch_norm_forward", stream, shape, 1, shape.rows, x, {mean, variance, gamma, beta, shape.eps},
                   nullptr, {nullptr, y.dtype()}, y);
}

void batch_norm_forward_residual(Stream& stream, const BatchNormShape& shape, std::int64_t rows_per_image, In x,
                                 In mean, In variance, In gamma, In beta, In image_scale, In residual, Out y) {
    constexpr const char* op = "batch_norm_forward_residual";
    if (rows_per_image <= 0 || shape.rows % rows_per_image != 0)
        throw Error(op, "expected rows in whole images of {}, got {}", rows_per_image, shape.rows);
    // Without a scale the images are one.
    const std::int64_t rows = image_scale ? rows_per_image : shape.rows;
    launch_forward(op, stream, shape, static_cast<int>(shape.rows / rows), rows, x,
                   {mean, variance, gamma, beta, shape.eps}, image_scale.as<float>(), residual, y);
}

}  // namespace karyon::kernels::gpu
