#pragma once

#include "tensor/tensor.h"

namespace karyon {

/// min(max(x, 0), 6). Keeps its output alone.
Tensor relu6(const Tensor& x);

}  // namespace karyon
