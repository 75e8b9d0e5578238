#include "bench/step/op_case.h"
#include "kernels/elementwise/activation.h"
#include "kernels/elementwise/add.h"
#include "kernels/elementwise/concat.h"
#include "kernels/resample/upsample_nearest.h"

namespace karyon::bench {
namespace {

using kernels::Activation;
using kernels::Stream;
using kernels::UpsampleShape;
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

OpCall concat(std::int64_t rows, int first, int second, DType type, bool backward) {
    const Tensor a = filled({rows, first}, type), b = filled({rows, second}, type);
    const Tensor y = filled({rows, first + second}, type);
    return {[=] {
                Stream stream;
                const kernels::ConcatInput inputs[] = {{a, first}, {b, second}};
                const kernels::ConcatOutput parts[] = {{a, first}, {b, second}};
                if (backward)
                    cpu::concat_backward(stream, rows, y, parts);
                else
                    cpu::concat_forward(stream, rows, inputs, y);
            },
            {}};
}

}  // namespace

std::vector<OpCase> elementwise_cases() {
    constexpr std::int64_t expanded = 8LL * 128 * 128 * 144, early = 8LL * 64 * 64 * 32, rows = 8LL * 128 * 128;
    const UpsampleShape up{8, 64, 64, 64};
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
            add(fmt::format("concat {}", pass), "decoder 128 px", "128x128, 64 and 48",
                kernels::concat_cost(rows * 112, type), [=] { return concat(rows, 64, 48, type, backward); });
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
