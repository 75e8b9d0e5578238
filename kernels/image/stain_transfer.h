#pragma once

#include "kernels/image/channel_scale.h"
#include "kernels/types.h"

namespace karyon::kernels {

/// What stain normalisation does to one pixel, when source and target stains are known (Beer and Lambert; Macenko
/// 2009): optical densities d = -ln((level + 1) / 256) are mixed anew,
///
///   d'[out] = max(0, sum over in of gain[in][out] * d[in]);  level' = round(256 exp(-d') - 1)
///
/// gain = the pseudo-inverse of the source's stains, times the ratios of the largest concentrations, times the target's
/// stains.
struct StainTransfer {
    float gain[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};  ///< [in][out]
};

/// `out` is the type of the result, u8 or f32.
Cost stain_transfer_cost(std::int64_t pixels, DType out);

namespace gpu {

/// levels u8 [pixels, 3] -> out [pixels, 3]: u8 levels, or f32 level' * gain + shift (for u8 the scale is not used).
/// level' is rounded to a whole number in both. Levels may differ by 1 from those of a table on the CPU.
void stain_transfer(Stream&, std::int64_t pixels, const StainTransfer&, const ChannelScale&, In levels, Out out);

}  // namespace gpu
}  // namespace karyon::kernels
