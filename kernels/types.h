#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "kernels/bfloat16.h"
#include "kernels/error.h"

namespace karyon {

enum class DType : std::uint8_t { f32, bf16, u8, i32 };

constexpr std::size_t size_of(DType type) {
    switch (type) {
        case DType::f32:
        case DType::i32:
            return 4;
        case DType::bf16:
            return 2;
        case DType::u8:
            return 1;
    }
    return 0;
}

std::string_view name_of(DType type);

template <typename T>
constexpr DType dtype_of() {
    if constexpr (std::is_same_v<T, float>)
        return DType::f32;
    else if constexpr (std::is_same_v<T, bfloat16>)
        return DType::bf16;
    else if constexpr (std::is_same_v<T, std::uint8_t>)
        return DType::u8;
    else if constexpr (std::is_same_v<T, std::int32_t>)
        return DType::i32;
    else
        static_assert(sizeof(T) == 0, "not an element type of karyon");
}

}  // namespace karyon

namespace karyon::kernels {

/// Where a kernel is queued. On the CPU a kernel has run when its call returns, so there is nothing to hold;
/// a GPU stream derives from this and carries its cudaStream_t.
class Stream {};

/// A typed pointer that a kernel reads: implicit from `const T*`, null allowed where the kernel says so.
class In {
  public:
    In() = default;
    In(std::nullptr_t) {}
    In(const void* data, DType type) : data_(data), type_(type) {}
    template <typename T>
    In(const T* data) : data_(data), type_(dtype_of<T>()) {}

    DType dtype() const { return type_; }
    explicit operator bool() const { return data_ != nullptr; }

    /// The pointer as `const T*`. Throws Error when the elements are of another type.
    template <typename T>
    const T* as() const {
        if (data_ && type_ != dtype_of<T>())
            throw Error("kernel", "expected {} elements, got {}", name_of(dtype_of<T>()), name_of(type_));
        return static_cast<const T*>(data_);
    }

  private:
    const void* data_ = nullptr;
    DType type_ = DType::f32;
};

/// A typed pointer that a kernel writes, or adds to where its header says `+=`.
class Out {
  public:
    Out() = default;
    Out(std::nullptr_t) {}
    Out(void* data, DType type) : data_(data), type_(type) {}
    template <typename T, typename = std::enable_if_t<!std::is_const_v<T>>>
    Out(T* data) : data_(data), type_(dtype_of<T>()) {}

    DType dtype() const { return type_; }
    explicit operator bool() const { return data_ != nullptr; }

    template <typename T>
    T* as() const {
        if (data_ && type_ != dtype_of<T>())
            throw Error("kernel", "expected {} elements, got {}", name_of(dtype_of<T>()), name_of(type_));
        return static_cast<T*>(data_);
    }

  private:
    void* data_ = nullptr;
    DType type_ = DType::f32;
};

/// Zero rows and columns around an image. Negative values crop.
struct Padding {
    int top = 0, left = 0, bottom = 0, right = 0;

    /// (k - 1) / 2 on every side: PyTorch, torchvision, timm's own checkpoints.
    static Padding symmetric(int kernel);
    /// TensorFlow's SAME: out = ceil(in / stride), the odd row or column goes to the bottom and the right.
    static Padding same(int height, int width, int kernel, int stride);

    bool operator==(const Padding&) const = default;
};

/// The least a kernel must move and compute: every input byte read once, every output byte written once.
struct Cost {
    double bytes = 0;
    double flops = 0;
};

}  // namespace karyon::kernels
