#pragma once

#include "tensor/ops/mbconv.h"

namespace karyon {

/// The block in inference on a GPU: batch norms are folded into the weights before them, bias, activation and the sum
/// with x are in the epilogues; the gate alone is applied by who reads. No pass only normalises.
Tensor folded_mbconv(const Tensor& x, const MBConvParameters&, const MBConvOptions&);

}  // namespace karyon
