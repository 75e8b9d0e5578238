#include "kernels/loss/jaccard.h"

#include <vector>

#include "kernels/blocks.h"
#include "kernels/elementwise/exp.h"
#include "kernels/loss/target.h"

namespace karyon::kernels {

Cost cost(const JaccardShape& shape, DType type) {
    const auto count = static_cast<double>(shape.count);
    return {count * static_cast<double>(size_of(type) + size_of(DType::u8)) + 4 * sizeof(float), 4 * count};
}

namespace cpu {
namespace {

struct Sums {
    double intersection = 0, prediction = 0, target = 0;
};

/// A strip of probabilities at a time, since sigmoids in float and sums in double want vectors of different lengths.
template <typename T>
KARYON_INLINE Sums sum_loop(std::int64_t count, const float* logits, const T* target) {
    constexpr std::int64_t strip = 256;
    float p[strip], t[strip];
    double intersection = 0, prediction = 0, truth = 0;
    for (std::int64_t begin = 0; begin < count; begin += strip) {
        const std::int64_t size = std::min(strip, count - begin);
        for (std::int64_t i = 0; i < size; ++i) p[i] = sigmoid_f32(logits[begin + i]);
        for (std::int64_t i = 0; i < size; ++i) t[i] = static_cast<float>(target[begin + i]);
#pragma omp simd reduction(+ : intersection, prediction, truth)
        for (std::int64_t i = 0; i < size; ++i) {
            intersection += static_cast<double>(p[i]) * static_cast<double>(t[i]);
            prediction += static_cast<double>(p[i]);
            truth += static_cast<double>(t[i]);
        }
    }
    return {intersection, prediction, truth};
}

KARYON_SIMD void sum_block(std::int64_t count, const float* logits, const float* target, Sums& sums) {
    sums = sum_loop(count, logits, target);
}
KARYON_SIMD void sum_block(std::int64_t count, const float* logits, const std::uint8_t* target, Sums& sums) {
    sums = sum_loop(count, logits, target);
}

// With a = I + smooth and b = U + smooth the loss is 1 - a / b. dI/dp = t and dU/dp = 1 - t, so
//   dloss/dp = -(t b - a (1 - t)) / b^2 = a / b^2 - t (1 / b + a / b^2),  and dp/dx = p (1 - p).
template <typename T>
KARYON_INLINE void gradient_loop(std::int64_t count, const float* logits, const T* target, float outside, float inside,
                                 float* dlogits) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) {
        const float p = sigmoid_f32(logits[i]), t = static_cast<float>(target[i]);
        dlogits[i] = (outside - t * (outside + inside)) * (p * (1.0f - p));
    }
}

KARYON_SIMD void gradient_block(std::int64_t count, const float* logits, const float* target, float outside,
                                float inside, float* dlogits) {
    gradient_loop(count, logits, target, outside, inside, dlogits);
}
KARYON_SIMD void gradient_block(std::int64_t count, const float* logits, const std::uint8_t* target, float outside,
                                float inside, float* dlogits) {
    gradient_loop(count, logits, target, outside, inside, dlogits);
}

}  // namespace

void jaccard_forward(Stream&, const JaccardShape& shape, In logits, In target, Out sums, Out loss) {
    const float* x = logits.as<float>();
    float *to_sums = sums.as<float>(), *to_loss = loss.as<float>();
    std::vector<Sums> partials(static_cast<std::size_t>(block_count(shape.count, block_elements)));
    with_target("jaccard", target, [&](const auto* t) {
        for_each_block(shape.count, block_elements, [&](std::int64_t block, std::int64_t begin, std::int64_t size) {
            sum_block(size, x + begin, t + begin, partials[static_cast<std::size_t>(block)]);
        });
    });
    Sums total;
    for (const Sums& partial : partials) {
        total.intersection += partial.intersection;
        total.prediction += partial.prediction;
        total.target += partial.target;
    }
    const double united = total.prediction + total.target - total.intersection;
    const auto smooth = static_cast<double>(shape.smooth);
    to_sums[0] = static_cast<float>(total.intersection);
    to_sums[1] = static_cast<float>(total.prediction);
    to_sums[2] = static_cast<float>(total.target);
    to_loss[0] = static_cast<float>((united - total.intersection) / (united + smooth));
}

void jaccard_backward(Stream&, const JaccardShape& shape, In logits, In target, In sums, In dloss, Out dlogits) {
    const float *x = logits.as<float>(), *totals = sums.as<float>();
    float* to = dlogits.as<float>();
    const auto smooth = static_cast<double>(shape.smooth), upstream = static_cast<double>(dloss.as<float>()[0]);
    const double intersection = static_cast<double>(totals[0]);
    const double united = static_cast<double>(totals[1]) + static_cast<double>(totals[2]) - intersection + smooth;
    const auto inside = static_cast<float>(upstream / united);
    const auto outside = static_cast<float>(upstream * (intersection + smooth) / (united * united));
    with_target("jaccard", target, [&](const auto* t) {
        for_each_block(shape.count, block_elements, [&](std::int64_t, std::int64_t begin, std::int64_t size) {
            gradient_block(size, x + begin, t + begin, outside, inside, to + begin);
        });
    });
}

}  // namespace cpu
}  // namespace karyon::kernels
