#include "bench/step/op_case.h"
#include "kernels/elementwise/activation.h"
#include "kernels/elementwise/add.h"
#include "kernels/resample/upsample_concat.h"

namespace karyon::bench {
namespace {

using kernels::Activation;
using kernels::Stream;
using kernels::UpsampleConcatShape, kernels::UpsampleShape;
namespace cpu = kernels::cpu;

OpCall activation(std::int64_t count, DType type, bool backward) {
    const Tensor x = filled({count}, type, -4, 4), y = filled({count}, type), dx = zeroed({count}, type);
    return {[=] {
                Stream stream;
                if (backward)
                    cpu::activation_backward(stream, Activation::silu, count, x, y, dx);
                else
                    cpu::activation_forward(stream, Activation::silu, count, x, y);
            },
            {}};
}

OpCall residual_add(std::int64_t count, DType type) {
    const Tensor a = filled({count}, type), b = filled({count}, type), y = zeroed({count}, type);
    return {[=] {
                Stream stream;
                cpu::add(stream, count, a, b, y);
            },
            {}};
}

OpCall drop_connect(int batch, std::int64_t each, DType type) {
    const Tensor x = filled({batch, each}, type), y = zeroed({batch, each}, type);
    const Tensor scale = filled({batch}, DType::f32, 1, 2);
    return {[=] {
                Stream stream;
                cpu::scale_images(stream, batch, each, x, scale, y);
            },
            {}};
}

OpCall upsample(const UpsampleShape& s, DType type, bool backward) {
    const Tensor x = filled({s.batch, s.height, s.width, s.channels}, type);
    const Tensor y = filled({s.batch, 2 * s.height, 2 * s.width, s.channels}, type);
    return {[=] {
                Stream stream;
                if (backward)
                    cpu::upsample_nearest_backward(stream, s, y, x);
                else
                    cpu::upsample_nearest_forward(stream, s, x, y);
            },
            {}};
}

OpCall upsample_concat(const UpsampleConcatShape& s, DType type, bool backward) {
    const UpsampleShape& low = s.low;
    const Tensor x = filled({low.batch, low.height, low.width, low.channels}, type);
    const Tensor skip = filled({low.batch, 2 * low.height, 2 * low.width, s.skip_channels}, type);
    const Tensor y = filled({low.batch, 2 * low.height, 2 * low.width, low.channels + s.skip_channels}, type);
    return {[=] {
                Stream stream;
                if (backward)
                    cpu::upsample_concat_backward(stream, s, y, x, skip);
                else
                    cpu::upsample_concat_forward(stream, s, x, skip, y);
            },
            {}};
}

}  // namespace

std::vector<OpCase> elementwise_cases() {
    constexpr std::int64_t expanded = 8LL * 128 * 128 * 144, early = 8LL * 64 * 64 * 32;
    const UpsampleShape up{8, 64, 64, 64};
    const UpsampleConcatShape join{up, 48};
    std::vector<OpCase> cases;
    for (const DType type : op_types()) {
        const auto add = [&](std::string op, std::string layer, std::string shape, kernels::Cost cost, auto make) {
            cases.push_back({std::move(op), std::move(layer), std::move(shape), type, cost, make});
        };
        for (const bool backward : {false, true}) {
            const char* pass = backward ? "backward" : "forward";
            kernels::Cost silu = kernels::activation_cost(expanded, type);
            if (backward) silu.bytes *= 1.5;  // dy is read as well
            add(fmt::format("SiLU {}", pass), "expand, stage 2", "128x128x144", silu,
                [=] { return activation(expanded, type, backward); });
            add(fmt::format("upsample {}", pass), "decoder 128 px", "64x64x64", kernels::cost(up, type),
                [=] { return upsample(up, type, backward); });
            add(fmt::format("upsample + concat {}", pass), "decoder 128 px", "64x64x64 and 128x128x48",
                kernels::cost(join, type), [=] { return upsample_concat(join, type, backward); });
        }
        add("residual add", "stage 2", "64x64x32", kernels::add_cost(early, type),
            [=] { return residual_add(early, type); });
        kernels::Cost scale = kernels::add_cost(early, type);
        scale.bytes *= 2.0 / 3;  // one tensor is read, not two
        add("drop-connect scale", "stage 2", "64x64x32", scale, [=] { return drop_connect(8, early / 8, type); });
    }
    return cases;
}

}  // namespace karyon::bench
