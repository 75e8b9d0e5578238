#include "bench/step/onednn_peer.h"
#include "bench/step/op_case.h"

namespace karyon::bench {
namespace {

using kernels::Conv2dShape;
using kernels::Stream;
using kernels::cpu::onednn::Direction;
namespace cpu = kernels::cpu;

struct Layer {
    const char* name;
    Conv2dShape shape;
    bool of_input = false;  ///< no gradient of x is wanted
    bool with_bias = false;
};

Conv2dShape pointwise(int side, int in, int out) { return {8, side, side, in, out, 1, 1, {}}; }
Conv2dShape decoder(int side, int in, int out) { return {8, side, side, in, out, 3, 1, {1, 1, 1, 1}}; }

const Layer layers[] = {
    {"stem", {8, 256, 256, 3, 48, 3, 2, {0, 0, 1, 1}}, true},
    {"expand, stage 2", pointwise(128, 24, 144)},
    {"project, stage 2", pointwise(64, 144, 32)},
    {"expand, stage 3", pointwise(32, 56, 336)},
    {"project, stage 3", pointwise(32, 336, 56)},
    {"expand, stage 6", pointwise(8, 272, 1632)},
    {"project, stage 6", pointwise(8, 1632, 272)},
    {"decoder 16 px, first", decoder(16, 608, 256)},
    {"decoder 16 px, second", decoder(16, 256, 256)},
    {"decoder 32 px, first", decoder(32, 312, 128)},
    {"decoder 64 px, first", decoder(64, 160, 64)},
    {"decoder 64 px, second", decoder(64, 64, 64)},
    {"decoder 128 px, first", decoder(128, 112, 32)},
    {"decoder 256 px, first", decoder(256, 32, 16)},
    {"decoder 256 px, second", decoder(256, 16, 16)},
    {"output", decoder(256, 16, 1), false, true},
};

const char* name_of(Direction direction) {
    switch (direction) {
        case Direction::forward:
            return "forward";
        case Direction::backward_data:
            return "backward data";
        case Direction::backward_weights:
            return "backward weights";
    }
    return "";
}

Tensor source(const Conv2dShape& s, DType type) { return filled({s.batch, s.height, s.width, s.in_channels}, type); }
Tensor destination(const Conv2dShape& s, DType type) {
    return filled({s.batch, s.out_height(), s.out_width(), s.out_channels}, type);
}

OpCall make_call(const Layer& layer, Direction direction, DType type) {
    const Conv2dShape s = layer.shape;
    const Tensor x = source(s, type), y = destination(s, type);
    const Shape weights{s.out_channels, s.kernel, s.kernel, s.in_channels};
    const Tensor w = filled(weights, type, -0.1f, 0.1f), dw = zeroed(weights, DType::f32);
    const Tensor bias = layer.with_bias ? zeroed({s.out_channels}, DType::f32) : Tensor();
    const auto ours = [=] {
        Stream stream;
        if (direction == Direction::forward)
            cpu::conv2d_forward(stream, s, x, w, bias, y);
        else if (direction == Direction::backward_data)
            cpu::conv2d_backward_data(stream, s, y, w, x);
        else
            cpu::conv2d_backward_weights(stream, s, x, y, dw, bias);
    };
    return {ours, onednn_convolution(direction, s, type, x, y)};
}

}  // namespace

std::vector<OpCase> dense_cases() {
    std::vector<OpCase> cases;
    for (const DType type : op_types())
        for (const Direction direction : {Direction::forward, Direction::backward_data, Direction::backward_weights})
            for (const Layer& layer : layers) {
                if (layer.of_input && direction == Direction::backward_data) continue;
                const Conv2dShape& s = layer.shape;
                const char* kind = s.kernel == 1 ? "pointwise" : s.stride == 2 ? "stem 3x3/2" : "conv 3x3";
                cases.push_back(
                    {.op = fmt::format("{} {}", kind, name_of(direction)),
                     .layer = layer.name,
                     .shape = fmt::format("{}x{}, {} to {}", s.height, s.width, s.in_channels, s.out_channels),
                     .type = type,
                     .cost = kernels::cost(s, type),
                     .make = [=] { return make_call(layer, direction, type); },
                     .arithmetic = type == DType::bf16 ? Arithmetic::bf16 : Arithmetic::f32});
            }
    return cases;
}

}  // namespace karyon::bench
