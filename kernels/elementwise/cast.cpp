#include "kernels/elementwise/cast.h"

#include "kernels/blocks.h"
#include "kernels/elementwise/cast_types.h"
#include "kernels/simd.h"

namespace karyon::kernels {

Cost cast_cost(std::int64_t count, DType from, DType to) {
    return {static_cast<double>(count) * static_cast<double>(size_of(from) + size_of(to)), 0};
}

namespace cpu {
namespace {

template <typename X, typename Y>
KARYON_INLINE void convert(std::int64_t count, const X* x, Y* y) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) y[i] = static_cast<Y>(static_cast<float>(x[i]));
}

KARYON_SIMD void cast_block(std::int64_t count, const float* x, bfloat16* y) { convert(count, x, y); }
KARYON_SIMD void cast_block(std::int64_t count, const bfloat16* x, float* y) { convert(count, x, y); }
KARYON_SIMD void cast_block(std::int64_t count, const std::uint8_t* x, float* y) { convert(count, x, y); }

}  // namespace

void cast(Stream&, std::int64_t count, In x, Out y) {
    with_cast_types(x, y, [=](const auto* from, auto* to) {
        for_each_block(count, block_elements, [=](std::int64_t, std::int64_t begin, std::int64_t size) {
            cast_block(size, from + begin, to + begin);
        });
    });
}

}  // namespace cpu
}  // namespace karyon::kernels
