#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/bfloat16.h"
#include "kernels/simd.h"

namespace karyon::kernels::cpu {

/// N neighbouring channels in registers: the compiler maps the type to whatever vectors the target has.
template <int N>
struct LanesOf {
    typedef float type __attribute__((vector_size(N * 4)));
    typedef std::uint32_t words __attribute__((vector_size(N * 4)));
    typedef std::uint16_t halves __attribute__((vector_size(N * 2)));
};
template <>
struct LanesOf<1> {
    using type = float;
};
template <int N>
using Lanes = typename LanesOf<N>::type;

template <typename V>
KARYON_INLINE void load(V& lanes, const float* from) {
    std::memcpy(&lanes, from, sizeof(V));
}
template <typename V>
KARYON_INLINE void store(float* to, const V& lanes) {
    std::memcpy(to, &lanes, sizeof(V));
}

template <typename V>
KARYON_INLINE void load(V& lanes, const bfloat16* from) {
    using Types = LanesOf<sizeof(V) / sizeof(float)>;
    typename Types::halves halves;
    std::memcpy(&halves, from, sizeof(halves));
    lanes = reinterpret_cast<V>(__builtin_convertvector(halves, typename Types::words) << 16);
}
/// Rounds as bfloat16's constructor does.
template <typename V>
KARYON_INLINE void store(bfloat16* to, const V& lanes) {
    using Types = LanesOf<sizeof(V) / sizeof(float)>;
    using Words = typename Types::words;
    const auto words = reinterpret_cast<Words>(lanes);
    const auto is_nan = reinterpret_cast<Words>((words & 0x7fffffffu) > 0x7f800000u);
    const Words rounded = (words + 0x7fffu + ((words >> 16) & 1u)) >> 16, nan = (words >> 16) | 0x40u;
    const auto halves = __builtin_convertvector((rounded & ~is_nan) | (nan & is_nan), typename Types::halves);
    std::memcpy(static_cast<void*>(to), &halves, sizeof(halves));
}
KARYON_INLINE void load(float& lane, const bfloat16* from) { lane = float(*from); }
KARYON_INLINE void store(bfloat16* to, const float& lane) { *to = bfloat16(lane); }

/// Half-open range of kernel taps.
struct Taps {
    int first, last;
};

/// The taps of a kernel that fall inside [0, size) when its first one is at `origin`; may be empty.
KARYON_INLINE Taps taps_inside(int origin, int kernel, int size) {
    return {origin < 0 ? -origin : 0, origin + kernel > size ? size - origin : kernel};
}

}  // namespace karyon::kernels::cpu
