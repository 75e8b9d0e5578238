#include "tensor/tensor.h"

#include <algorithm>
#include <cstring>

#include "kernels/elementwise/fill.h"
#include "tensor/allocator.h"
#include "tensor/stream.h"

namespace karyon {

std::int64_t element_count(const Shape& shape) {
    std::int64_t count = 1;
    for (const std::int64_t extent : shape) count *= extent;
    return count;
}

std::string to_string(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

Storage::Storage(std::size_t bytes, Allocator& allocator)
    : data_(allocator.allocate(bytes)), bytes_(bytes), allocator_(allocator) {}

Storage::~Storage() { allocator_.release(data_); }

Tensor::Tensor(Shape shape, DType type, Device device, Allocator& allocator)
    : shape_(std::move(shape)), dtype_(type), device_(device) {
    for (const std::int64_t extent : shape_)
        if (extent < 0) throw Error("tensor", "expected a shape of non-negative extents, got {}", to_string(shape_));
    storage_ = std::make_shared<Storage>(std::size_t(element_count(shape_)) * size_of(type), allocator);
}

Tensor Tensor::empty(Shape shape, DType type, Device device) {
    return Tensor(std::move(shape), type, device, Allocator::of(device));
}

Tensor Tensor::empty_pinned(Shape shape, DType type) {
    return Tensor(std::move(shape), type, Device{}, cuda::pinned_allocator());
}

Tensor Tensor::zeros(Shape shape, DType type, Device device) {
    Tensor tensor = empty(std::move(shape), type, device);
    tensor.zero();
    return tensor;
}

Tensor Tensor::full(Shape shape, float value, Device device) {
    Tensor tensor = empty(std::move(shape), DType::f32, device);
    tensor.fill(value);
    return tensor;
}

Tensor Tensor::from(Shape shape, std::span<const float> values) {
    Tensor tensor = empty(std::move(shape));
    if (std::size_t(tensor.size()) != values.size())
        throw Error("tensor", "expected {} values for {}, got {}", tensor.size(), to_string(tensor.shape_),
                    values.size());
    std::copy(values.begin(), values.end(), tensor.data<float>());
    return tensor;
}

void Tensor::require(DType type) const {
    if (!defined()) throw Error("tensor", "expected {} elements, got an undefined tensor", name_of(type));
    if (dtype_ != type) throw Error("tensor", "expected {} elements, got {}", name_of(type), name_of(dtype_));
    if (device_.kind != Device::Kind::cpu) throw Error("tensor", "expected a tensor on cpu, got {}", name_of(device_));
}

float Tensor::item() const {
    if (size() != 1) throw Error("tensor", "expected one element, got shape {}", to_string(shape_));
    return *to(Device{}).data<float>();
}

Tensor Tensor::to(Device device) const {
    if (!defined() || device == device_) return detach();
    Tensor tensor = empty(shape_, dtype_, device);
    tensor.copy_from(*this);
    return tensor;
}

Tensor Tensor::reshape(Shape shape) const {
    if (element_count(shape) != size())
        throw Error("reshape", "expected {} elements, got {} for {}", size(), element_count(shape), to_string(shape));
    Tensor tensor = detach();
    tensor.shape_ = std::move(shape);
    return tensor;
}

Tensor Tensor::view(std::int64_t first, Shape shape) const {
    const std::int64_t count = element_count(shape);
    if (first < 0 || first + count > size())
        throw Error("view", "expected elements within [0, {}), got [{}, {})", size(), first, first + count);
    Tensor tensor = detach();
    tensor.offset_ += std::size_t(first) * size_of(dtype_);
    tensor.shape_ = std::move(shape);
    return tensor;
}

Tensor Tensor::clone() const {
    if (!defined()) return {};
    Tensor tensor = empty(shape_, dtype_, device_);
    tensor.copy_from(*this);
    return tensor;
}

void Tensor::copy_from(const Tensor& other) const {
    if (other.shape_ != shape_ || other.dtype_ != dtype_)
        throw Error("copy", "expected {} {}, got {} {}", name_of(dtype_), to_string(shape_), name_of(other.dtype_),
                    to_string(other.shape_));
    const bool on_host = device_.kind == Device::Kind::cpu && other.device_.kind == Device::Kind::cpu;
    if (on_host)
        std::memcpy(raw(), other.raw(), bytes());
    else
        cuda::copy(raw(), device_, other.raw(), other.device_, bytes());
}

void Tensor::copy_from_bytes(std::span<const std::byte> from) const {
    if (from.size() != bytes()) throw Error("copy", "expected {} bytes, got {}", bytes(), from.size());
    if (device_.kind == Device::Kind::cpu)
        std::memcpy(raw(), from.data(), from.size());
    else
        cuda::copy(raw(), device_, from.data(), Device{}, from.size());
}

void Tensor::fill(float value) const { KARYON_RUN(device_, fill, size(), value, *this); }

void Tensor::zero() const {
    if (device_.kind != Device::Kind::cpu) return cuda::zero(raw(), device_.index, bytes());
    std::memset(raw(), 0, bytes());
}

Tensor Tensor::detach() const {
    Tensor tensor = *this;
    tensor.grad_ = nullptr;
    tensor.recompute_ = nullptr;
    return tensor;
}

}  // namespace karyon
