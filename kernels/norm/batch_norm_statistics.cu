#include "kernels/activation.cuh"
#include "kernels/channel_sums.cuh"
#include "kernels/norm/batch_norm.h"
#include "kernels/norm/partial_moments.cuh"

namespace karyon::kernels::gpu {
namespace {

// A thread sums the distances d = x - shift and their squares, shift being the first value that it sees: sum d^2 -
// (sum d)^2 / n then loses at most a factor n of precision, whatever the mean, and n is some tens. Threads and blocks
// are merged by Chan's formula.
template <typename T>
__global__ __launch_bounds__(ChannelSlabs::block_threads, 3) void statistics_kernel(ChannelSlabs slabs, const T* x,
                                                                                    PartialMoments partial) {
    constexpr int width = Pack<T>::width;
    __shared__ alignas(16) float shared[3 * SlabThread<T>::Rows::size];
    const SlabThread<T> thread(slabs);
    float shift[width] = {}, sum[width] = {}, squares[width] = {};
    int last_valid = width;
    for_each_pack<16 / width>(thread, {x}, static_cast<T*>(nullptr), [&](int step, const auto& in, auto&, int valid) {
        last_valid = valid;
#pragma unroll
        for (int k = 0; k < width; ++k) {
            if (k >= valid) continue;
            if (step == 0) shift[k] = in[0][k];
            const float d = in[0][k] - shift[k];
            sum[k] += d;
            squares[k] += d * d;
        }
    });

    float moments[3][width], result[3];
#pragma unroll
    for (int k = 0; k < width; ++k) {
        const float count = static_cast<float>(thread.steps - (k < last_valid ? 0 : 1));
        const float mean = count > 0 ? sum[k] / count : 0.0f, m2 = squares[k] - sum[k] * mean;
        moments[0][k] = count > 0 ? count : 0.0f;
        moments[1][k] = shift[k] + mean;
        moments[2][k] = m2 < 0 ? 0.0f : m2;  // so that NaN stays NaN
    }
    merge_thread_rows(thread, slabs, moments, shared, result, [](float(&into)[3], const float(&other)[3]) {
        Moments merged{into[0], into[1], into[2]};
        merged.add({other[0], other[1], other[2]});
        into[0] = merged.count;
        into[1] = merged.mean;
        into[2] = merged.m2;
    });
    if (static_cast<int>(threadIdx.x) >= thread.elements) return;
    const std::int64_t at = partial_offset<1>(thread, slabs);
    partial.means[at] = result[1];
    partial.m2s[at] = result[2];
    if (at % slabs.channels == 0) partial.counts[at / slabs.channels] = result[0];
}

__global__ void update_running_kernel(int channels, float momentum, float unbiased, const float* mean,
                                      const float* variance, float* running_mean, float* running_variance) {
    const int c = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
    if (c >= channels) return;
    running_mean[c] = (1 - momentum) * running_mean[c] + momentum * mean[c];
    running_variance[c] = (1 - momentum) * running_variance[c] + momentum * (variance[c] * unbiased);
}

}  // namespace

void batch_norm_statistics(Stream& stream, const BatchNormShape& shape, In x, Out mean, Out variance) {
    if (shape.rows == 0) return;
    with_float_type("batch_norm_statistics", x.dtype(), [&]<typename T>() {
        const auto slabs = reduction_slabs<T>(1, shape.rows, shape.channels);
        void* memory = static_cast<CudaStream&>(stream).scratch(PartialMoments::bytes(slabs.tiles(), shape.channels));
        const PartialMoments partial(memory, slabs.tiles(), shape.channels);
        launch("batch_norm_statistics", stream, slabs.grid(), statistics_kernel<T>, slabs, x.as<T>(), partial);
        merge_moments(stream, partial, mean.as<float>(), variance.as<float>());
    });
}

void batch_norm_update_running(Stream& stream, const BatchNormShape& shape, float momentum, In mean, In variance,
                               Out running_mean, Out running_variance) {
    constexpr unsigned block_threads = 128;
    const auto rows = static_cast<double>(shape.rows);
    const auto unbiased = static_cast<float>(shape.rows > 1 ? rows / (rows - 1) : 1.0);
    const unsigned blocks = (static_cast<unsigned>(shape.channels) + block_threads - 1) / block_threads;
    launch("batch_norm_update_running", stream, {blocks, block_threads}, update_running_kernel, shape.channels,
           momentum, unbiased, mean.as<float>(), variance.as<float>(), running_mean.as<float>(),
           running_variance.as<float>());
}

}  // namespace karyon::kernels::gpu
