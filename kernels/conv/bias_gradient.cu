#include "kernels/activation.cuh"
#include "kernels/channel_sums.cuh"
#include "kernels/conv/bias_gradient.cuh"

namespace karyon::kernels::gpu {
namespace {

// partial [1, tiles, 1, channels].
template <typename T>
__global__ __launch_bounds__(ChannelSlabs::block_threads, 3) void bias_gradient_kernel(ChannelSlabs slabs, const T* dy,
                                                                                       float* partial) {
    constexpr int width = Pack<T>::width;
    __shared__ alignas(16) float shared[SlabThread<T>::Rows::size];
    const SlabThread<T> thread(slabs);
    float sums[1][width] = {};
    for_each_pack<4>(thread, {dy}, static_cast<T*>(nullptr), [&](int, const auto& in, auto&, int valid) {
#pragma unroll
        for (int k = 0; k < width; ++k)
            if (k < valid) sums[0][k] += in[0][k];
    });
    write_partial_sums(thread, slabs, sums, shared, partial);
}

struct AddSums {
    float* to;
    __device__ void operator()(int, int channel, const float (&sums)[1]) const { to[channel] += sums[0]; }
};

}  // namespace

void add_bias_gradient(const char* op, Stream& stream, std::int64_t rows, int channels, In dy, float* dbias) {
    with_float_type(op, dy.dtype(), [&]<typename T>() {
        const auto slabs = reduction_slabs<T>(1, rows, channels);
        auto* const partial =
            static_cast<float*>(static_cast<CudaStream&>(stream).scratch(partial_sums_bytes(slabs, 1)));
        launch(op, stream, slabs.grid(), bias_gradient_kernel<T>, slabs, dy.as<T>(), partial);
        fold_partial_sums<1>(op, stream, slabs, partial, AddSums{dbias});
    });
}

}  // namespace karyon::kernels::gpu
