#include "kernels/loss/confusion.h"

#include <vector>

#include "kernels/blocks.h"
#include "kernels/loss/confusion_counts.h"
#include "kernels/loss/target.h"
#include "kernels/simd.h"

namespace karyon::kernels {

Cost confusion_cost(std::int64_t count) {
    const auto pixels = static_cast<double>(count);
    return {5 * pixels + 4 * sizeof(std::int32_t) + sizeof(float), 3 * pixels};
}

namespace cpu {
namespace {

template <typename T>
KARYON_INLINE ConfusionSums count_loop(std::int64_t count, float threshold, const float* logits, const T* target) {
    std::int32_t both = 0, predicted = 0, positive = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        const std::int32_t p = logits[i] >= threshold, t = static_cast<float>(target[i]) >= 0.5f;
        both += p & t;
        predicted += p;
        positive += t;
    }
    return {static_cast<double>(both), static_cast<double>(predicted), static_cast<double>(positive)};
}

KARYON_SIMD void count_block(std::int64_t count, float threshold, const float* x, const float* t, ConfusionSums& sums) {
    sums = count_loop(count, threshold, x, t);
}
KARYON_SIMD void count_block(std::int64_t count, float threshold, const float* x, const std::uint8_t* t,
                             ConfusionSums& sums) {
    sums = count_loop(count, threshold, x, t);
}

}  // namespace

void confusion(Stream&, std::int64_t count, float threshold, In logits, In target, Out counts, Out dice) {
    const float* x = logits.as<float>();
    std::vector<ConfusionSums> partials(static_cast<std::size_t>(block_count(count, block_elements)));
    with_target("confusion", target, [&](const auto* t) {
        for_each_block(count, block_elements, [&](std::int64_t block, std::int64_t begin, std::int64_t size) {
            count_block(size, threshold, x + begin, t + begin, partials[static_cast<std::size_t>(block)]);
        });
    });
    ConfusionSums total;
    for (const ConfusionSums& partial : partials) {
        total.both += partial.both;
        total.predicted += partial.predicted;
        total.target += partial.target;
    }
    total.write(count, counts.as<std::int32_t>(), dice.as<float>());
}

}  // namespace cpu
}  // namespace karyon::kernels
