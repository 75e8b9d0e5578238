#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/types.h"
#include "tensor/device.h"

namespace karyon {

using Shape = std::vector<std::int64_t>;

std::int64_t element_count(const Shape&);
std::string to_string(const Shape&);  ///< "[8, 256, 256, 3]"

struct GradState;
struct Recompute;

class Allocator;

/// A block of memory, shared by the tensors that look at it.
class Storage {
  public:
    Storage(std::size_t bytes, Allocator&);
    ~Storage();
    Storage(const Storage&) = delete;
    Storage& operator=(const Storage&) = delete;

    void* data() const { return data_; }
    std::size_t bytes() const { return bytes_; }

  private:
    void* data_ = nullptr;
    std::size_t bytes_ = 0;
    Allocator& allocator_;
};

/// Contiguous elements of one type, NHWC where it is an image. A small value: copies share the elements.
/// A default-constructed tensor is undefined and stands for "none".
class Tensor {
  public:
    Tensor() = default;
    static Tensor empty(Shape, DType = DType::f32, Device = {});  ///< contents undefined
    /// In host memory that copies to and from a GPU fastest (tensor/cuda.h).
    static Tensor empty_pinned(Shape, DType = DType::f32);
    static Tensor zeros(Shape, DType = DType::f32, Device = {});
    static Tensor full(Shape, float value, Device = {});
    static Tensor from(Shape, std::span<const float> values);

    bool defined() const { return storage_ != nullptr; }
    const Shape& shape() const { return shape_; }
    std::int64_t dim(std::size_t axis) const { return shape_.at(axis); }
    std::int64_t size() const { return defined() ? element_count(shape_) : 0; }
    std::size_t bytes() const { return std::size_t(size()) * size_of(dtype_); }
    DType dtype() const { return dtype_; }
    Device device() const { return device_; }

    /// The elements as T, in host memory. Throws Error when they are of another type or on a GPU, or the tensor is
    /// undefined.
    template <typename T>
    T* data() const {
        require(dtype_of<T>());
        return static_cast<T*>(raw());
    }
    template <typename T>
    std::span<T> span() const {
        return {data<T>(), std::size_t(size())};
    }
    void* raw() const { return storage_ ? static_cast<std::byte*>(storage_->data()) + offset_ : nullptr; }
    float item() const;  ///< the only element of an f32 tensor; waits for the device

    /// Undefined elements of this type on this device.
    Tensor empty_like(Shape shape) const { return empty(std::move(shape), dtype_, device_); }
    Tensor empty_like() const { return empty_like(shape_); }
    /// This tensor where it is on the device already, else a copy there. Off the tape.
    Tensor to(Device) const;

    /// The same elements in another shape of as many. Not recorded on the tape.
    Tensor reshape(Shape) const;
    /// `count` elements from element `first` on as a tensor of the given shape: a view of a flat arena.
    Tensor view(std::int64_t first, Shape) const;
    Tensor clone() const;
    void copy_from(const Tensor&) const;  ///< same shape and type, any devices
    /// From host memory that may be unaligned. Throws Error unless there are as many bytes as this tensor has.
    void copy_from_bytes(std::span<const std::byte>) const;
    void fill(float value) const;
    void zero() const;

    operator kernels::In() const { return {raw(), dtype_}; }
    operator kernels::Out() const { return {raw(), dtype_}; }

    // The tape (tensor/autograd.h).

    /// Makes this a leaf whose gradient is collected, in a buffer of its own or in `gradient` (same shape, f32).
    void require_gradient();
    void require_gradient(Tensor gradient);
    bool requires_gradient() const { return grad_ != nullptr; }
    Tensor gradient() const;  ///< undefined until a backward pass has reached it
    Tensor detach() const;    ///< the same elements, off the tape

  private:
    Tensor(Shape, DType, Device, Allocator&);
    friend Tensor record_output(Tensor, std::shared_ptr<GradState>);
    friend class Saved;
    friend class Gradients;
    friend std::shared_ptr<GradState> grad_state(const Tensor&);
    friend Tensor with_recompute(Tensor, std::shared_ptr<Recompute>);

    void require(DType) const;

    std::shared_ptr<Storage> storage_;
    std::size_t offset_ = 0;  ///< bytes
    Shape shape_;
    DType dtype_ = DType::f32;
    Device device_;
    std::shared_ptr<GradState> grad_;       ///< null: no gradient is wanted
    std::shared_ptr<Recompute> recompute_;  ///< set: cheaper to compute again than to keep
};

}  // namespace karyon
