#pragma once

#include <cstring>

#include "kernels/simd.h"

namespace karyon::kernels::cpu {

/// N neighbouring channels in registers: the compiler maps the type to whatever vectors the target has.
template <int N>
struct LanesOf {
    typedef float type __attribute__((vector_size(N * sizeof(float))));
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

/// Half-open range of kernel taps.
struct Taps {
    int first, last;
};

/// The taps of a kernel that fall inside [0, size) when its first one is at `origin`; may be empty.
KARYON_INLINE Taps taps_inside(int origin, int kernel, int size) {
    return {origin < 0 ? -origin : 0, origin + kernel > size ? size - origin : kernel};
}

}  // namespace karyon::kernels::cpu
