#include "data/image.h"

#include <algorithm>

namespace karyon {

Mask mask_of(const Labels& labels) {
    Mask mask(labels.width, labels.height);
    std::transform(labels.ids.begin(), labels.ids.end(), mask.pixels.begin(),
                   [](std::int32_t id) { return std::uint8_t(id > 0); });
    return mask;
}

}  // namespace karyon
