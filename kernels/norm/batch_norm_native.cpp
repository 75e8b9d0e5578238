#include "kernels/norm/batch_norm_native.h"

#include <algorithm>

#include "kernels/bfloat16_native.h"
#include "kernels/conv/conv2d.h"

namespace karyon::kernels::cpu::native {

#if defined(__x86_64__)
namespace {

/// body(tile, i, mask) for every vector: element tile + i, and i within the tile.
template <typename Body>
KARYON_NATIVE_BF16 void for_each_vector(std::int64_t count, std::int64_t width, const Body& body) {
    for (std::int64_t tile = 0; tile < count; tile += width) {
        const std::int64_t size = std::min(width, count - tile);
        std::int64_t i = 0;
        for (; i + lanes <= size; i += lanes) body(tile, i, all);
        if (const __mmask16 rest = mask_of_rest(size)) body(tile, i, rest);
    }
}

template <Activation f>
KARYON_NATIVE_BF16 inline __m512 value_of(__m512 z) {
    if constexpr (f == Activation::relu)
        return _mm512_maskz_max_ps(all, vector_of(0), z);
    else if constexpr (f == Activation::silu)
        return Sigmoid(z).silu();
    else if constexpr (f == Activation::sigmoid)
        return Sigmoid(z).s;
    else
        return z;
}

/// f'(z) * dy.
template <Activation f>
KARYON_NATIVE_BF16 inline __m512 gradient_of(__m512 z, __m512 dy) {
    if constexpr (f == Activation::relu)
        return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(z, vector_of(0), _CMP_GT_OQ), vector_of(1)) * dy;
    else if constexpr (f == Activation::silu)
        return Sigmoid(z).silu_slope() * dy;
    else if constexpr (f == Activation::sigmoid)
        return Sigmoid(z).slope() * dy;
    else
        return dy;
}

template <Activation f>
struct Normalise {
    NormTile p;
    const bfloat16* x;
    bfloat16* y;

    KARYON_NATIVE_BF16 void operator()(std::int64_t tile, std::int64_t i, __mmask16 mask) const {
        const __m512 d = load(x + tile + i, mask) - load(p.mean + i, mask);
        store(y + tile + i, mask, value_of<f>(_mm512_fmadd_ps(d, load(p.scale + i, mask), load(p.beta + i, mask))));
    }
};

/// What the gradients share: d = x - mean and g = dy * f'(z).
template <Activation f>
struct Gradient {
    __m512 scale, d, g;

    KARYON_NATIVE_BF16 Gradient(const NormTile& p, const bfloat16* x, const bfloat16* dy, std::int64_t i,
                                __mmask16 mask)
        : scale(load(p.scale + i, mask)),
          d(load(x, mask) - load(p.mean + i, mask)),
          g(gradient_of<f>(_mm512_fmadd_ps(d, scale, load(p.beta + i, mask)), load(dy, mask))) {}
};

template <Activation f>
struct SumGradients {
    NormTile p;
    const bfloat16 *x, *dy;
    float *sums, *sums_d;
    bfloat16* left;
    bool left_is_scaled;

    KARYON_NATIVE_BF16 void operator()(std::int64_t tile, std::int64_t i, __mmask16 mask) const {
        const Gradient<f> at(p, x + tile + i, dy + tile + i, i, mask);
        store(sums + i, mask, load(sums + i, mask) + at.g);
        store(sums_d + i, mask, _mm512_fmadd_ps(at.g, at.d, load(sums_d + i, mask)));
        if (left) store(left + tile + i, mask, left_is_scaled ? at.scale * at.g : at.g);
    }
};

template <Activation f>
struct FinishGradients {
    NormTile p;
    const bfloat16 *x, *dy;
    const float *mean_g, *slope;
    bfloat16* dx;

    KARYON_NATIVE_BF16 void operator()(std::int64_t tile, std::int64_t i, __mmask16 mask) const {
        const Gradient<f> at(p, x + tile + i, dy + tile + i, i, mask);
        const __m512 centred = at.g - load(mean_g + i, mask);
        store(dx + tile + i, mask, at.scale * _mm512_fnmadd_ps(at.d, load(slope + i, mask), centred));
    }
};

/// call.template operator()<f>() for the activation that f stands for.
template <typename Call>
bool with_activation(Activation f, const Call& call) {
    if (!has_bf16()) return false;
    switch (f) {
        case Activation::none:
            call.template operator()<Activation::none>();
            break;
        case Activation::relu:
            call.template operator()<Activation::relu>();
            break;
        case Activation::silu:
            call.template operator()<Activation::silu>();
            break;
        case Activation::sigmoid:
            call.template operator()<Activation::sigmoid>();
            break;
    }
    return true;
}

}  // namespace

bool normalise(Activation activation, std::int64_t count, const NormTile& tile, const bfloat16* x, bfloat16* y) {
    return with_activation(activation, [&]<Activation f>() {
        for_each_vector(count, tile.width, Normalise<f>{tile, x, y});
    });
}

bool sum_gradients(Activation activation, std::int64_t count, const NormTile& tile, const bfloat16* x,
                   const bfloat16* dy, float* sums, float* sums_d, bfloat16* left, bool left_is_scaled) {
    return with_activation(activation, [&]<Activation f>() {
        for_each_vector(count, tile.width, SumGradients<f>{tile, x, dy, sums, sums_d, left, left_is_scaled});
    });
}

bool finish_gradients(Activation activation, std::int64_t count, const NormTile& tile, const bfloat16* x,
                      const bfloat16* dy, const float* mean_g, const float* slope, bfloat16* dx) {
    return with_activation(activation, [&]<Activation f>() {
        for_each_vector(count, tile.width, FinishGradients<f>{tile, x, dy, mean_g, slope, dx});
    });
}
#else
bool normalise(Activation, std::int64_t, const NormTile&, const bfloat16*, bfloat16*) { return false; }
bool sum_gradients(Activation, std::int64_t, const NormTile&, const bfloat16*, const bfloat16*, float*, float*,
                   bfloat16*, bool) {
    return false;
}
bool finish_gradients(Activation, std::int64_t, const NormTile&, const bfloat16*, const bfloat16*, const float*,
                      const float*, bfloat16*) {
    return false;
}
#endif

}  // namespace karyon::kernels::cpu::native
