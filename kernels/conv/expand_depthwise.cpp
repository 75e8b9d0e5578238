#include "kernels/conv/expand_depthwise.h"

namespace karyon::kernels {

Cost cost(const ExpandDepthwiseShape& s, DType type) {
    const DepthwiseConvShape& d = s.depthwise;
    const double size = double(size_of(type)), pixels = double(d.batch) * d.height * d.width;
    Cost result = cost(d, type);
    result.bytes += size * (pixels * (s.in_channels - d.channels) + double(d.channels) * s.in_channels);
    result.flops += 2 * pixels * d.channels * s.in_channels;
    return result;
}

}  // namespace karyon::kernels
