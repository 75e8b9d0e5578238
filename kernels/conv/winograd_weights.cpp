#include "kernels/blocks.h"
#include "kernels/conv/winograd.h"
#include "kernels/conv/winograd_tiles.h"

namespace karyon::kernels::cpu {
namespace {

using namespace winograd;

/// Weights as they are stored: tap t of input channel k and output channel n.
template <typename T>
struct StoredWeights {
    const T* w;
    std::ptrdiff_t in_step, out_step, tap_step;
    bool reversed;

    KARYON_INLINE float tap(int t, std::ptrdiff_t k, std::ptrdiff_t n) const {
        return float(w[k * in_step + n * out_step + (reversed ? 8 - t : t) * tap_step]);
    }
};

/// One panel: to [points][in][panel_lanes], zero where there is no channel.
template <typename T>
KARYON_SIMD void transform_panel(const StoredWeights<T>& stored, int in_channels, std::ptrdiff_t first, int count,
                                 float* to) {
    for (std::ptrdiff_t k = 0; k < in_channels; ++k) {
        alignas(64) float gathered[taps * taps][panel_lanes] = {};
        for (int t = 0; t < taps * taps; ++t)
            for (int n = 0; n < count; ++n) gathered[t][n] = stored.tap(t, k, first + n);
        for (int half = 0; half < panel_lanes; half += tile_lanes) {
            V g[taps][taps], u[side][taps], transformed[side][side];
            for (int t = 0; t < taps * taps; ++t) load(g[t / taps][t % taps], gathered[t] + half);
#pragma GCC unroll 3
            for (int column = 0; column < taps; ++column) {
                const V line[taps] = {g[0][column], g[1][column], g[2][column]};
                V result[side];
                TapTransform()(line, result);
                for (int row = 0; row < side; ++row) u[row][column] = result[row];
            }
#pragma GCC unroll 6
            for (int row = 0; row < side; ++row) TapTransform()(u[row], transformed[row]);
            for (int p = 0; p < points; ++p)
                store(to + (std::ptrdiff_t(p) * in_channels + k) * panel_lanes + half, transformed[p / side][p % side]);
        }
    }
}

}  // namespace

std::size_t winograd_weight_count(int in_channels, int out_channels) {
    return std::size_t(panels_of(out_channels)) * std::size_t(panel_size(in_channels));
}

template <typename T>
void winograd_transform_weights(const Conv2dShape& s, const T* w, bool backward, float* to) {
    const std::ptrdiff_t in = s.in_channels, out = s.out_channels, all = taps * taps;
    const auto stored =
        backward ? StoredWeights<T>{w, all * out, 1, out, true} : StoredWeights<T>{w, 1, all * in, in, false};
    for_each_item(panels_of(s.out_channels), [&](std::int64_t panel) {
        const int first = int(panel) * panel_lanes;
        transform_panel(stored, s.in_channels, first, std::min(panel_lanes, s.out_channels - first),
                        to + panel * panel_size(s.in_channels));
    });
}
template void winograd_transform_weights(const Conv2dShape&, const float*, bool, float*);
template void winograd_transform_weights(const Conv2dShape&, const bfloat16*, bool, float*);

}  // namespace karyon::kernels::cpu
