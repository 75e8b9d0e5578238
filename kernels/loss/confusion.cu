#include "kernels/loss/confusion.h"
#include "kernels/loss/confusion_counts.h"
#include "kernels/loss/target.h"
#include "kernels/sum_elements.cuh"

namespace karyon::kernels::gpu {
namespace {

struct ConfusionTerm {
    static constexpr int sums = 3;
    using Partial = float;  // whole numbers up to the elements of a thread's round: exact
    float threshold;

    __device__ void add(float (&sum)[sums], float logit, float target) const {
        const bool p = logit >= threshold, t = target >= 0.5f;
        sum[0] += p && t ? 1.0f : 0.0f;
        sum[1] += p ? 1.0f : 0.0f;
        sum[2] += t ? 1.0f : 0.0f;
    }
};

struct ConfusionFinish {
    std::int64_t count;
    std::int32_t* counts;
    float* dice;

    __device__ void operator()(const double (&total)[3]) const {
        ConfusionSums{total[0], total[1], total[2]}.write(count, counts, dice);
    }
};

}  // namespace

void confusion(Stream& stream, std::int64_t count, float threshold, In logits, In target, Out counts, Out dice) {
    const ConfusionFinish finish{count, counts.as<std::int32_t>(), dice.as<float>()};
    with_target("confusion", target, [&](const auto* t) {
        sum_elements("confusion", stream, count, ConfusionTerm{threshold}, logits.as<float>(), t, finish);
    });
}

}  // namespace karyon::kernels::gpu
