#include "kernels/conv/fused_depthwise_conv.h"

namespace karyon::kernels {

Cost depthwise_fused_backward_data_cost(const DepthwiseConvShape& s, DType type) {
    Cost result = cost(s, type);
    result.bytes += double(s.batch) * s.height * s.width * s.channels * double(size_of(type));
    return result;
}

}  // namespace karyon::kernels
