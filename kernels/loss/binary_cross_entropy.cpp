#include "kernels/loss/binary_cross_entropy.h"

#include <cmath>
#include <vector>

#include "kernels/blocks.h"
#include "kernels/elementwise/exp.h"
#include "kernels/loss/target.h"

namespace karyon::kernels {

Cost binary_cross_entropy_cost(std::int64_t count, DType type) {
    const auto elements = static_cast<double>(count);
    return {elements * static_cast<double>(size_of(type) + size_of(DType::u8)) + sizeof(float), 5 * elements};
}

namespace cpu {
namespace {

/// log(1 + e) for e in [0, 1], relative error below 1e-7: 2 artanh(s) with s = e / (2 + e) <= 1/3, by its power series.
KARYON_INLINE float log1p_unit(float e) {
    const float s = e / (2.0f + e), s2 = s * s;
    float series = 1.0f / 15;
    series = series * s2 + 1.0f / 13;
    series = series * s2 + 1.0f / 11;
    series = series * s2 + 1.0f / 9;
    series = series * s2 + 1.0f / 7;
    series = series * s2 + 1.0f / 5;
    series = series * s2 + 1.0f / 3;
    return 2.0f * s + 2.0f * s * (series * s2);
}

/// A strip of losses at a time, since terms in float and their sum in double want vectors of different lengths.
template <typename T>
KARYON_INLINE double sum_loop(std::int64_t count, const float* logits, const T* target) {
    constexpr std::int64_t strip = 256;
    float linear[strip], logarithm[strip];
    double sum = 0;
    for (std::int64_t begin = 0; begin < count; begin += strip) {
        const std::int64_t size = std::min(strip, count - begin);
        for (std::int64_t i = 0; i < size; ++i) {
            const float x = logits[begin + i], t = static_cast<float>(target[begin + i]);
            linear[i] = (x < 0.0f ? 0.0f : x) - x * t;
            logarithm[i] = log1p_unit(exp_f32(x < 0.0f ? x : -x));
        }
#pragma omp simd reduction(+ : sum)
        for (std::int64_t i = 0; i < size; ++i)
            sum += static_cast<double>(linear[i]) + static_cast<double>(logarithm[i]);
    }
    return sum;
}

KARYON_SIMD double sum_block(std::int64_t count, const float* logits, const float* target) {
    return sum_loop(count, logits, target);
}
KARYON_SIMD double sum_block(std::int64_t count, const float* logits, const std::uint8_t* target) {
    return sum_loop(count, logits, target);
}

template <typename T>
KARYON_INLINE void gradient_loop(std::int64_t count, const float* logits, const T* target, float scale,
                                 float* dlogits) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i)
        dlogits[i] = scale * (sigmoid_f32(logits[i]) - static_cast<float>(target[i]));
}

KARYON_SIMD void gradient_block(std::int64_t count, const float* logits, const float* target, float scale,
                                float* dlogits) {
    gradient_loop(count, logits, target, scale, dlogits);
}
KARYON_SIMD void gradient_block(std::int64_t count, const float* logits, const std::uint8_t* target, float scale,
                                float* dlogits) {
    gradient_loop(count, logits, target, scale, dlogits);
}

}  // namespace

void binary_cross_entropy_forward(Stream&, std::int64_t count, In logits, In target, Out loss) {
    const float* x = logits.as<float>();
    float* to = loss.as<float>();
    std::vector<double> partials(static_cast<std::size_t>(block_count(count, block_elements)));
    with_target("binary_cross_entropy", target, [&](const auto* t) {
        for_each_block(count, block_elements, [&](std::int64_t block, std::int64_t begin, std::int64_t size) {
            partials[static_cast<std::size_t>(block)] = sum_block(size, x + begin, t + begin);
        });
    });
    double sum = 0;
    for (const double partial : partials) sum += partial;
    to[0] = static_cast<float>(sum / static_cast<double>(count));
}

void binary_cross_entropy_backward(Stream&, std::int64_t count, In logits, In target, In dloss, Out dlogits) {
    const float* x = logits.as<float>();
    float* to = dlogits.as<float>();
    const auto scale = static_cast<float>(static_cast<double>(dloss.as<float>()[0]) / static_cast<double>(count));
    with_target("binary_cross_entropy", target, [&](const auto* t) {
        for_each_block(count, block_elements, [&](std::int64_t, std::int64_t begin, std::int64_t size) {
            gradient_block(size, x + begin, t + begin, scale, to + begin);
        });
    });
}

}  // namespace cpu
}  // namespace karyon::kernels
