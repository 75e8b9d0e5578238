#include "layers/module.h"

#include <cmath>

namespace karyon {
namespace {

thread_local int undefined_weights = 0;

Tensor uniform(Shape shape, float bound, Random& random) {
    Tensor tensor = Tensor::empty(std::move(shape));
    if (undefined_weights > 0) return tensor;
    fill_uniform(tensor.data<float>(), std::size_t(tensor.size()), -bound, bound, random.state().seed, random.u32());
    return tensor;
}

}  // namespace

UndefinedWeights::UndefinedWeights() { ++undefined_weights; }
UndefinedWeights::~UndefinedWeights() { --undefined_weights; }

Tensor he_normal_fan_out(Shape shape, std::int64_t fan_out, Random& random) {
    Tensor tensor = Tensor::empty(std::move(shape));
    if (undefined_weights > 0) return tensor;
    const float deviation = std::sqrt(2.0f / float(fan_out));
    fill_normal(tensor.data<float>(), std::size_t(tensor.size()), 0, deviation, random.state().seed, random.u32());
    return tensor;
}

Tensor he_uniform_fan_in(Shape shape, std::int64_t fan_in, Random& random) {
    return uniform(std::move(shape), std::sqrt(6.0f / float(fan_in)), random);
}

Tensor xavier_uniform(Shape shape, std::int64_t fan_in, std::int64_t fan_out, Random& random) {
    return uniform(std::move(shape), std::sqrt(6.0f / float(fan_in + fan_out)), random);
}

}  // namespace karyon
