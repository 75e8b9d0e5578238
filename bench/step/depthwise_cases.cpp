#include "bench/step/op_case.h"
#include "kernels/conv/depthwise_conv.h"

namespace karyon::bench {
namespace {

using kernels::DepthwiseConvShape;
using kernels::Stream;
namespace cpu = kernels::cpu;

struct Layer {
    const char* name;
    DepthwiseConvShape shape;
};

/// SAME padding, as the encoder has it.
DepthwiseConvShape depthwise(int side, int channels, int kernel, int stride) {
    return {8, side, side, channels, kernel, stride, kernels::Padding::same(side, side, kernel, stride)};
}

const Layer layers[] = {
    {"stage 1", depthwise(128, 48, 3, 1)}, {"stage 2, first", depthwise(128, 144, 3, 2)},
    {"stage 2", depthwise(64, 192, 3, 1)}, {"stage 3, first", depthwise(64, 192, 5, 2)},
    {"stage 3", depthwise(32, 336, 5, 1)}, {"stage 5", depthwise(16, 960, 5, 1)},
    {"stage 6", depthwise(8, 1632, 5, 1)},
};

enum class Pass { forward, backward_data, backward_weights };

OpCall make_call(const DepthwiseConvShape& s, Pass pass, DType type) {
    const Tensor x = filled({s.batch, s.height, s.width, s.channels}, type);
    const Tensor y = filled({s.batch, s.out_height(), s.out_width(), s.channels}, type);
    const Tensor w = filled({s.kernel, s.kernel, s.channels}, DType::f32, -0.1f, 0.1f);
    const auto ours = [=] {
        Stream stream;
        if (pass == Pass::forward)
            cpu::depthwise_conv_forward(stream, s, x, w, y);
        else if (pass == Pass::backward_data)
            cpu::depthwise_conv_backward_data(stream, s, y, w, x);
        else
            cpu::depthwise_conv_backward_weights(stream, s, x, y, w);
    };
    return {ours, {}};
}

}  // namespace

std::vector<OpCase> depthwise_cases() {
    const std::pair<Pass, const char*> passes[] = {{Pass::forward, "forward"},
                                                   {Pass::backward_data, "backward data"},
                                                   {Pass::backward_weights, "backward weights"}};
    std::vector<OpCase> cases;
    for (const DType type : op_types())
        for (const auto& [pass, name] : passes)
            for (const auto& [layer, s] : layers)
                cases.push_back({.op = fmt::format("depthwise {}x{}/{} {}", s.kernel, s.kernel, s.stride, name),
                                 .layer = layer,
                                 .shape = fmt::format("{}x{}x{}", s.height, s.width, s.channels),
                                 .type = type,
                                 .cost = pass == Pass::backward_weights ? depthwise_backward_weights_cost(s, type)
                                                                        : kernels::cost(s, type),
                                 .make = [s = s, pass = pass, type] { return make_call(s, pass, type); }});
    return cases;
}

}  // namespace karyon::bench
