#include "kernels/elementwise/drop_connect_scale.h"

namespace karyon::kernels::cpu {

void drop_connect_scales(Stream&, const DropConnect& drop, In stream_offset, Out scale) {
    const std::int32_t* offset = stream_offset.as<std::int32_t>();
    float* to = scale.as<float>();
    for (int image = 0; image < drop.batch; ++image) to[image] = drop_connect_scale(drop, offset, image);
}

}  // namespace karyon::kernels::cpu
