#include "tensor/ops/cast.h"

#include "kernels/elementwise/cast.h"
#include "tensor/autograd.h"
#include "tensor/stream.h"

namespace karyon {

Tensor converted(const Tensor& x, DType type) {
    if (!x.defined() || x.dtype() == type) return x.detach();
    Tensor y = Tensor::empty(x.shape(), type, x.device());
    KARYON_RUN(x.device(), cast, x.size(), x, y);
    return y;
}

Tensor cast(const Tensor& x, DType type) {
    if (x.dtype() == type) return x;
    return record("cast", converted(x, type), {x}, [from = x.dtype()](const Tensor& dy, const Gradients& gradients) {
        gradients.deliver(0, converted(dy, from));
    });
}

}  // namespace karyon
