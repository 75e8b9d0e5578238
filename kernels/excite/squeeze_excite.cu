#include "kernels/excite/excitation.cuh"
#include "kernels/excite/pool.cuh"
#include "kernels/excite/squeeze_excite.h"

namespace karyon::kernels::gpu {
namespace {

// partial [images, tiles, 1, channels]: sums of x * dy over the block's rows, the gradient of the gate.
template <typename T>
__global__ __launch_bounds__(ChannelSlabs::block_threads, 3) void products_kernel(ChannelSlabs slabs, const T* x,
                                                                                  const T* dy, float* partial) {
    constexpr int width = Pack<T>::width;
    __shared__ alignas(16) float shared[SlabThread<T>::Rows::size];
    const SlabThread<T> thread(slabs);
    float sums[1][width] = {};
    for_each_pack<2>(thread, {x, dy}, static_cast<T*>(nullptr), [&](int, const auto& in, auto&, int) {
#pragma unroll
        for (int k = 0; k < width; ++k) sums[0][k] += in[0][k] * in[1][k];
    });
    write_partial_sums(thread, slabs, sums, shared, partial);
}

// y = x * gate[image] + offset[image], the latter where it is given.
template <typename T>
__global__ __launch_bounds__(ChannelSlabs::block_threads, 3) void apply_kernel(ChannelSlabs slabs, const T* x,
                                                                               const float* gate, const float* offset,
                                                                               T* y) {
    constexpr int width = Pack<T>::width;
    __shared__ alignas(16) float shared[2 * SlabThread<T>::Coefficients::size];
    const SlabThread<T> thread(slabs);
    const std::int64_t image = static_cast<std::int64_t>(thread.image) * slabs.channels;
    float of[2][width];
    load_coefficients(thread, slabs, shared, of, [&](int channel, float(&value)[2]) {
        value[0] = gate[image + channel];
        value[1] = offset ? offset[image + channel] : 0.0f;
    });
    for_each_pack<4>(thread, {x}, y, [&](int, const auto& in, auto& out, int) {
#pragma unroll
        for (int k = 0; k < width; ++k) out[k] = fmaf(in[0][k], of[0][k], of[1][k]);
    });
}

template <typename T>
void launch_apply(const char* op, Stream& stream, const SqueezeExciteShape& shape, In x, const float* gate,
                  const float* offset, Out y) {
    const auto slabs = elementwise_slabs<T>(shape.batch, shape.pixels, shape.channels);
    launch(op, stream, slabs.grid(), apply_kernel<T>, slabs, x.as<T>(), gate, offset, y.as<T>());
}

}  // namespace

void squeeze_excite_gate(Stream& stream, const SqueezeExciteShape& shape, In x, In w1, In b1, In w2, In b2, Out pooled,
                         Out hidden, Out gate) {
    constexpr const char* op = "squeeze_excite_gate";
    with_float_type(op, x.dtype(), [&]<typename T>() {
        pool<T, Activation::none>(op, stream, shape, {nullptr, nullptr, nullptr, nullptr, 0}, x, pooled.as<float>());
    });
    excite_forward(op, stream, shape, {w1.as<float>(), b1.as<float>(), w2.as<float>(), b2.as<float>()},
                   pooled.as<float>(), hidden.as<float>(), gate.as<float>());
}

void squeeze_excite_apply(Stream& stream, const SqueezeExciteShape& shape, In x, In gate, Out y) {
    constexpr const char* op = "squeeze_excite_apply";
    with_float_type(op, x.dtype(),
                    [&]<typename T>() { launch_apply<T>(op, stream, shape, x, gate.as<float>(), nullptr, y); });
}

void squeeze_excite_backward(Stream& stream, const SqueezeExciteShape& shape, In x, In w1, In w2, In pooled, In hidden,
                             In gate, In dy, Out dx, Out dw1, Out db1, Out dw2, Out db2) {
    constexpr const char* op = "squeeze_excite_backward";
    with_float_type(op, x.dtype(), [&]<typename T>() {
        const auto slabs = reduction_slabs<T>(shape.batch, shape.pixels, shape.channels);
        const std::size_t per_image = static_cast<std::size_t>(shape.batch) * static_cast<std::size_t>(shape.channels);
        auto* dgate = static_cast<float*>(static_cast<CudaStream&>(stream).scratch(
            2 * sizeof(float) * per_image + ExciteScratch::bytes(shape) + partial_sums_bytes(slabs, 1)));
        float *dpixel = dgate + per_image, *excite = dpixel + per_image;
        float* partial = excite + ExciteScratch::bytes(shape) / sizeof(float);

        launch(op, stream, slabs.grid(), products_kernel<T>, slabs, x.as<T>(), dy.as<T>(),
               sums_target(slabs, partial, dgate));
        fold_to<1>(op, stream, slabs, partial, dgate);
        excite_backward(op, stream, shape, {w1.as<float>(), nullptr, w2.as<float>(), nullptr}, pooled.as<float>(),
                        hidden.as<float>(), gate.as<float>(), dgate, shape.channels, {shape, excite}, dpixel,
                        {dw1.as<float>(), db1.as<float>(), dw2.as<float>(), db2.as<float>()});
        launch_apply<T>(op, stream, shape, dy, gate.as<float>(), dpixel, dx);
    });
}

}  // namespace karyon::kernels::gpu
