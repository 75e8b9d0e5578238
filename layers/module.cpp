#include "layers/module.h"

#include <cmath>

namespace karyon {
namespace {

Tensor uniform(Shape shape, float bound, Random& random) {
    Tensor tensor = Tensor::empty(std::move(shape));
    for (float& value : tensor.span<float>()) value = random.uniform(-bound, bound);
    return tensor;
}

}  // namespace

Tensor he_normal_fan_out(Shape shape, std::int64_t fan_out, Random& random) {
    Tensor tensor = Tensor::empty(std::move(shape));
    const float deviation = std::sqrt(2.0f / float(fan_out));
    for (float& value : tensor.span<float>()) value = deviation * random.normal();
    return tensor;
}

Tensor he_uniform_fan_in(Shape shape, std::int64_t fan_in, Random& random) {
    return uniform(std::move(shape), std::sqrt(6.0f / float(fan_in)), random);
}

Tensor xavier_uniform(Shape shape, std::int64_t fan_in, std::int64_t fan_out, Random& random) {
    return uniform(std::move(shape), std::sqrt(6.0f / float(fan_in + fan_out)), random);
}

}  // namespace karyon
