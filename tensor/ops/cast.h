#pragma once

#include "tensor/tensor.h"

namespace karyon {

/// The elements in another type, f32 or bf16, rounded to nearest; x itself where it is of that type. The gradient comes
/// back in x's type.
Tensor cast(const Tensor& x, DType);

/// The same off the tape: what an op of another type makes of a parameter, whose gradient stays f32.
Tensor converted(const Tensor& x, DType);

}  // namespace karyon
