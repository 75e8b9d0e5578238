#include "kernels/activation.cuh"
#include "kernels/conv/check_shape.h"
#include "kernels/launch.cuh"
#include "kernels/pack.cuh"

namespace karyon::kernels::gpu {
namespace {

constexpr int block_threads = 256;

template <typename T>
__global__ void depthwise_forward_v1_kernel(DepthwiseConvShape s, int out_height, int out_width, const T* x,
                                            const float* w, T* y) {
    const std::int64_t at = static_cast<std::int64_t>(blockIdx.x) * block_threads + threadIdx.x;
    const std::int64_t row = at / s.channels / out_width;
    if (row >= static_cast<std::int64_t>(s.batch) * out_height) return;
    const int c = static_cast<int>(at % s.channels), q = static_cast<int>(at / s.channels % out_width);
    const int p = static_cast<int>(row % out_height);
    const std::int64_t n = row / out_height;
    float sum = 0;
    for (int r = 0; r < s.kernel; ++r)
        for (int t = 0; t < s.kernel; ++t) {
            const int h = p * s.stride - s.pad.top + r, v = q * s.stride - s.pad.left + t;
            if (h >= 0 && h < s.height && v >= 0 && v < s.width)
                sum += to_float(x[((n * s.height + h) * s.width + v) * s.channels + c]) *
                       w[(r * s.kernel + t) * s.channels + c];
        }
    y[at] = from_float<T>(sum);
}

}  // namespace

void depthwise_conv_forward_v1(Stream& stream, const DepthwiseConvShape& s, In x, In w, Out y) {
    check_depthwise(s);
    const std::int64_t count = static_cast<std::int64_t>(s.batch) * s.out_height() * s.out_width() * s.channels;
    with_float_type("depthwise_conv_forward_v1", y.dtype(), [&]<typename T>() {
        launch("depthwise_conv_forward_v1", stream,
               {static_cast<unsigned>((count + block_threads - 1) / block_threads), block_threads},
               depthwise_forward_v1_kernel<T>, s, s.out_height(), s.out_width(), x.as<T>(), w.as<float>(), y.as<T>());
    });
}

}  // namespace karyon::kernels::gpu
