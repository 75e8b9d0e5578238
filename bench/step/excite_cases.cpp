#include "bench/step/op_case.h"
#include "kernels/excite/squeeze_excite.h"

namespace karyon::bench {
namespace {

using kernels::Cost;
using kernels::SqueezeExciteShape;
using kernels::Stream;
namespace cpu = kernels::cpu;

struct Layer {
    const char* name;
    int side, channels, reduced;
};

const Layer layers[] = {
    {"stage 2, first", 64, 144, 6}, {"stage 3", 32, 336, 14}, {"stage 5", 16, 960, 40}, {"stage 6", 8, 1632, 68}};

enum class Pass { gate, apply, backward };

OpCall make_call(const SqueezeExciteShape& s, Pass pass, DType type) {
    const Shape activations{s.batch, s.pixels, s.channels}, vectors{s.batch, s.channels}, hiddens{s.batch, s.reduced};
    const Shape down{s.reduced, s.channels}, up{s.channels, s.reduced};
    const Tensor x = filled(activations, type), y = filled(activations, type);
    const Tensor w1 = filled(down, DType::f32), b1 = filled({s.reduced}, DType::f32);
    const Tensor w2 = filled(up, DType::f32), b2 = filled({s.channels}, DType::f32);
    const Tensor pooled = filled(vectors, DType::f32), hidden = filled(hiddens, DType::f32);
    const Tensor gate = filled(vectors, DType::f32, 0.1f, 0.9f);
    const Tensor dw1 = zeroed(down, DType::f32), db1 = zeroed({s.reduced}, DType::f32);
    const Tensor dw2 = zeroed(up, DType::f32), db2 = zeroed({s.channels}, DType::f32);
    const Tensor dx = pass == Pass::backward ? zeroed(activations, type) : Tensor();
    const auto ours = [=] {
        Stream stream;
        if (pass == Pass::gate)
            cpu::squeeze_excite_gate(stream, s, x, w1, b1, w2, b2, pooled, hidden, gate);
        else if (pass == Pass::apply)
            cpu::squeeze_excite_apply(stream, s, x, gate, y);
        else
            cpu::squeeze_excite_backward(stream, s, x, w1, w2, pooled, hidden, gate, y, dx, dw1, db1, dw2, db2);
    };
    return {ours, {}};
}

Cost cost_of(const SqueezeExciteShape& s, Pass pass, DType type) {
    if (pass == Pass::gate) return squeeze_excite_gate_cost(s, type);
    return pass == Pass::apply ? squeeze_excite_apply_cost(s, type) : squeeze_excite_backward_cost(s, type);
}

}  // namespace

std::vector<OpCase> excite_cases() {
    const std::pair<Pass, const char*> passes[] = {
        {Pass::gate, "gate"}, {Pass::apply, "scale"}, {Pass::backward, "backward"}};
    std::vector<OpCase> cases;
    for (const DType type : op_types())
        for (const auto& [pass, name] : passes)
            for (const Layer& layer : layers) {
                const SqueezeExciteShape s{8, std::int64_t(layer.side) * layer.side, layer.channels, layer.reduced};
                cases.push_back({.op = fmt::format("squeeze-excite {}", name),
                                 .layer = layer.name,
                                 .shape = fmt::format("{}x{}x{}", layer.side, layer.side, layer.channels),
                                 .type = type,
                                 .cost = cost_of(s, pass, type),
                                 .make = [s, pass = pass, type] { return make_call(s, pass, type); }});
            }
    return cases;
}

}  // namespace karyon::bench
