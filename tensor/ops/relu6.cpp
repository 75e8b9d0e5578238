#include "tensor/ops/relu6.h"

#include "kernels/elementwise/relu6.h"
#include "tensor/autograd.h"
#include "tensor/stream.h"

namespace karyon {

using namespace kernels;

Tensor relu6(const Tensor& x) {
    Tensor y = x.empty_like();
    KARYON_RUN(x.device(), relu6_forward, x.size(), x, y);
    return record("relu6", y, {x}, [saved_y = Saved(y)](const Tensor& dy, const Gradients& gradients) {
        Tensor dx = dy.empty_like();
        KARYON_RUN(dy.device(), relu6_backward, dy.size(), saved_y.get(), dy, dx);
        gradients.deliver(0, std::move(dx));
    });
}

}  // namespace karyon
