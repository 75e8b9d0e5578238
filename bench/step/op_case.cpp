#include "bench/step/op_case.h"

#include <cstring>

#include "kernels/conv/conv2d.h"
#include "tensor/random.h"

namespace karyon::bench {
namespace {

template <typename T>
Tensor repeated(const Tensor& tensor, float low, float high) {
    constexpr std::int64_t period = 1 << 14;
    std::vector<float> values(period);
    fill_uniform(values.data(), values.size(), low, high, 1, 0);
    T* data = tensor.data<T>();
#pragma omp parallel for schedule(static)
    for (std::int64_t i = 0; i < tensor.size(); ++i) data[i] = T(values[std::size_t(i % period)]);
    return tensor;
}

}  // namespace

std::string OpCase::name() const { return fmt::format("{} | {} | {}", op, layer, name_of(type)); }

std::vector<DType> op_types() {
    return kernels::cpu::has_bf16() ? std::vector{DType::f32, DType::bf16} : std::vector{DType::f32};
}

Tensor filled(Shape shape, DType type, float low, float high) {
    const Tensor tensor = Tensor::empty(std::move(shape), type);
    return type == DType::f32 ? repeated<float>(tensor, low, high) : repeated<bfloat16>(tensor, low, high);
}

Tensor zeroed(Shape shape, DType type) {
    const Tensor tensor = Tensor::empty(std::move(shape), type);
    std::memset(tensor.raw(), 0, tensor.bytes());
    return tensor;
}

}  // namespace karyon::bench
