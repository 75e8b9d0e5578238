#pragma once

#include "kernels/simd.h"

/// The transforms of F(4x4, 3x3), Winograd's minimal filtering (A. Lavin, S. Gray, "Fast algorithms for convolutional
/// neural networks", CVPR 2016): with g 3x3 taps and d 6x6 pixels, the 4x4 pixels of their correlation are
/// A' [(G g G') * (B' d B)] A, * element by element. That takes 36 products instead of 144. The points are 0, a, -a, b,
/// -b and infinity with a = 1/sqrt(2), b = sqrt(2), which round better than the usual 1 and 2: the matrices' entries
/// lie closer together. Each functor below is one dimension of one matrix; V is a float or a vector of floats.
namespace karyon::kernels::cpu::winograd {

inline constexpr int side = 6, points = side * side, outputs = 4, taps = 3;
inline constexpr float a = 0.70710678118654752f, b = 1.41421356237309505f;

/// B' d
struct PixelTransform {
    template <typename V>
    KARYON_INLINE void operator()(const V (&d)[6], V (&t)[6]) const {
        const V even_a = d[4] - 2 * d[2], odd_a = a * d[3] - b * d[1];
        const V even_b = d[4] - 0.5f * d[2], odd_b = b * d[3] - a * d[1];
        t[0] = d[0] - 2.5f * d[2] + d[4];
        t[1] = even_a + odd_a;
        t[2] = even_a - odd_a;
        t[3] = even_b + odd_b;
        t[4] = even_b - odd_b;
        t[5] = d[1] - 2.5f * d[3] + d[5];
    }
};

/// G g
struct TapTransform {
    template <typename V>
    KARYON_INLINE void operator()(const V (&g)[3], V (&t)[6]) const {
        const V even_a = (g[0] + 0.5f * g[2]) * (-1 / 1.5f), odd_a = g[1] * (-a / 1.5f);
        const V even_b = (g[0] + 2 * g[2]) * (1 / 6.0f), odd_b = g[1] * (b / 6);
        t[0] = g[0];
        t[1] = even_a + odd_a;
        t[2] = even_a - odd_a;
        t[3] = even_b + odd_b;
        t[4] = even_b - odd_b;
        t[5] = g[2];
    }
};

/// A' m
struct ProductTransform {
    template <typename V>
    KARYON_INLINE void operator()(const V (&m)[6], V (&y)[4]) const {
        const V sum_a = m[1] + m[2], sum_b = m[3] + m[4], odd_a = a * (m[1] - m[2]), odd_b = b * (m[3] - m[4]);
        y[0] = m[0] + sum_a + sum_b;
        y[1] = odd_a + odd_b;
        y[2] = 0.5f * sum_a + 2 * sum_b;
        y[3] = 0.5f * odd_a + 2 * odd_b + m[5];
    }
};

/// A dy: the way back of ProductTransform.
struct OutputGradientTransform {
    template <typename V>
    KARYON_INLINE void operator()(const V (&dy)[4], V (&t)[6]) const {
        const V even_a = dy[0] + 0.5f * dy[2], odd_a = a * (dy[1] + 0.5f * dy[3]);
        const V even_b = dy[0] + 2 * dy[2], odd_b = b * (dy[1] + 2 * dy[3]);
        t[0] = dy[0];
        t[1] = even_a + odd_a;
        t[2] = even_a - odd_a;
        t[3] = even_b + odd_b;
        t[4] = even_b - odd_b;
        t[5] = dy[3];
    }
};

/// G' u: the way back of TapTransform.
struct TapGradientTransform {
    template <typename V>
    KARYON_INLINE void operator()(const V (&u)[6], V (&g)[3]) const {
        const V sum_a = (u[1] + u[2]) * (-1 / 1.5f), sum_b = (u[3] + u[4]) * (1 / 6.0f);
        g[0] = u[0] + sum_a + sum_b;
        g[1] = (u[1] - u[2]) * (-a / 1.5f) + (u[3] - u[4]) * (b / 6);
        g[2] = 0.5f * sum_a + 2 * sum_b + u[5];
    }
};

/// `transform` along the columns of `from` [in][in], then along its rows: to [out][out].
template <int in, int out, typename V, typename Transform>
KARYON_INLINE void transform_both(const V (&from)[in][in], V (&to)[out][out], Transform transform) {
    V half[in][out];  // [column][row]
#pragma GCC unroll 6
    for (int column = 0; column < in; ++column) {
        V line[in];
#pragma GCC unroll 6
        for (int row = 0; row < in; ++row) line[row] = from[row][column];
        transform(line, half[column]);
    }
#pragma GCC unroll 6
    for (int row = 0; row < out; ++row) {
        V line[in];
#pragma GCC unroll 6
        for (int column = 0; column < in; ++column) line[column] = half[column][row];
        transform(line, to[row]);
    }
}

}  // namespace karyon::kernels::cpu::winograd
