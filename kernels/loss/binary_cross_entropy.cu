#include "kernels/activation.cuh"
#include "kernels/loss/binary_cross_entropy.h"
#include "kernels/loss/target.h"
#include "kernels/sum_elements.cuh"

namespace karyon::kernels::gpu {
namespace {

struct CrossEntropyTerm {
    static constexpr int sums = 1;
    using Partial = float;

    __device__ void add(float (&sum)[sums], float x, float t) const {
        sum[0] += (x < 0.0f ? 0.0f : x) - x * t + log1pf(__expf(-fabsf(x)));
    }
};

struct CrossEntropyFinish {
    std::int64_t count;
    float* loss;

    __device__ void operator()(const double (&total)[1]) const {
        loss[0] = static_cast<float>(total[0] / static_cast<double>(count));
    }
};

struct CrossEntropyGradient {
    float share;  ///< of one element: 1 / count
    const float* dloss;

    __device__ float operator()(float x, float t) const { return dloss[0] * share * (sigmoid(x) - t); }
};

}  // namespace

void binary_cross_entropy_forward(Stream& stream, std::int64_t count, In logits, In target, Out loss) {
    const CrossEntropyFinish finish{count, loss.as<float>()};
    with_target("binary_cross_entropy", target, [&](const auto* t) {
        sum_elements("binary_cross_entropy_forward", stream, count, CrossEntropyTerm{}, logits.as<float>(), t, finish);
    });
}

void binary_cross_entropy_backward(Stream& stream, std::int64_t count, In logits, In target, In dloss, Out dlogits) {
    const CrossEntropyGradient gradient{1.0f / static_cast<float>(count), dloss.as<float>()};
    with_target("binary_cross_entropy", target, [&](const auto* t) {
        map("binary_cross_entropy_backward", stream, count, gradient, logits.as<float>(), t, dlogits.as<float>());
    });
}

}  // namespace karyon::kernels::gpu
