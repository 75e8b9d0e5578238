#include "kernels/activation.cuh"
#include "kernels/loss/jaccard.h"
#include "kernels/loss/target.h"
#include "kernels/sum_elements.cuh"

namespace karyon::kernels::gpu {
namespace {

struct JaccardTerm {
    static constexpr int sums = 3;
    using Partial = float;

    __device__ void add(float (&sum)[sums], float logit, float t) const {
        const float p = sigmoid(logit);
        sum[0] += p * t;
        sum[1] += p;
        sum[2] += t;
    }
};

struct JaccardFinish {
    float smooth;
    float *sums, *loss;

    __device__ void operator()(const double (&total)[3]) const {
        const double united = total[1] + total[2] - total[0];
        for (int s = 0; s < 3; ++s) sums[s] = static_cast<float>(total[s]);
        loss[0] = static_cast<float>((united - total[0]) / (united + static_cast<double>(smooth)));
    }
};

// With a = I + smooth and b = U + smooth: dloss/dp = a / b^2 - t (1 / b + a / b^2), dp/dx = p (1 - p). The scalars are
// read where they lie, on the device; the compiler takes what does not depend on the element out of the loop.
struct JaccardGradient {
    float smooth;
    const float *sums, *dloss;

    __device__ float operator()(float logit, float t) const {
        const float a = sums[0] + smooth, b = sums[1] + sums[2] - sums[0] + smooth;
        const float inside = __fdividef(dloss[0], b), outside = inside * __fdividef(a, b);
        const float p = sigmoid(logit);
        return (outside - t * (outside + inside)) * (p * (1.0f - p));
    }
};

}  // namespace

void jaccard_forward(Stream& stream, const JaccardShape& shape, In logits, In target, Out sums, Out loss) {
    const JaccardFinish finish{shape.smooth, sums.as<float>(), loss.as<float>()};
    with_target("jaccard", target, [&](const auto* t) {
        sum_elements("jaccard_forward", stream, shape.count, JaccardTerm{}, logits.as<float>(), t, finish);
    });
}

void jaccard_backward(Stream& stream, const JaccardShape& shape, In logits, In target, In sums, In dloss, Out dlogits) {
    const JaccardGradient gradient{shape.smooth, sums.as<float>(), dloss.as<float>()};
    with_target("jaccard", target, [&](const auto* t) {
        map("jaccard_backward", stream, shape.count, gradient, logits.as<float>(), t, dlogits.as<float>());
    });
}

}  // namespace karyon::kernels::gpu
