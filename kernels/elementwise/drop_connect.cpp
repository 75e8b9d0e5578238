#include "kernels/elementwise/drop_connect.h"

#include "kernels/philox.h"

namespace karyon::kernels::cpu {

void drop_connect_scales(Stream&, const DropConnect& drop, Out scale) {
    float* to = scale.as<float>();
    for (int image = 0; image < drop.batch; ++image) {
        const std::uint64_t position = drop.position + static_cast<std::uint64_t>(image);
        const float number = random_unit(random_word(drop.seed, drop.stream, position));
        to[image] = number < drop.probability ? 0.0f : 1.0f / (1.0f - drop.probability);
    }
}

}  // namespace karyon::kernels::cpu
