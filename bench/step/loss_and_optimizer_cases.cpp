#include "bench/step/op_case.h"
#include "kernels/loss/jaccard.h"
#include "kernels/optim/amsgrad.h"

namespace karyon::bench {
namespace {

using kernels::AmsgradStep;
using kernels::JaccardShape;
using kernels::Stream;
namespace cpu = kernels::cpu;

OpCall jaccard(const JaccardShape& s, bool backward) {
    const Tensor logits = filled({s.count}, DType::f32, -4, 4), gradient = zeroed({s.count}, DType::f32);
    const Tensor target = zeroed({s.count}, DType::u8);
    for (std::int64_t i = 0; i < s.count; i += 3) target.data<std::uint8_t>()[i] = 1;
    const Tensor sums = Tensor::full({3}, float(s.count) / 3), loss = Tensor::full({1}, 1);
    return {[=] {
                Stream stream;
                if (backward)
                    cpu::jaccard_backward(stream, s, logits, target, sums, loss, gradient);
                else
                    cpu::jaccard_forward(stream, s, logits, target, sums, loss);
            },
            {}};
}

OpCall amsgrad(const AmsgradStep& s) {
    const Tensor gradient = filled({s.count}, DType::f32), value = filled({s.count}, DType::f32);
    const Tensor m = zeroed({s.count}, DType::f32), v = zeroed({s.count}, DType::f32),
                 most = zeroed({s.count}, DType::f32);
    return {[=] {
                Stream stream;
                cpu::amsgrad(stream, s, gradient, value, m, v, most);
            },
            {}};
}

}  // namespace

std::vector<OpCase> loss_and_optimizer_cases() {
    const JaccardShape pixels{8 * 256 * 256};
    const AmsgradStep parameters{.count = 19'400'000};
    kernels::Cost way_back = cost(pixels, DType::f32);
    way_back.bytes += 4.0 * double(pixels.count);  // the gradient is written
    return {{"soft Jaccard forward", "loss", "256x256", DType::f32, cost(pixels, DType::f32),
             [=] { return jaccard(pixels, false); }},
            {"soft Jaccard backward", "loss", "256x256", DType::f32, way_back, [=] { return jaccard(pixels, true); }},
            {"AMSGrad", "all parameters", "19.4 M", DType::f32, cost(parameters), [=] { return amsgrad(parameters); }}};
}

}  // namespace karyon::bench
