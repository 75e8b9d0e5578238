#include "bench/step/op_case.h"
#include "kernels/norm/batch_norm.h"

namespace karyon::bench {
namespace {

using kernels::Activation;
using kernels::BatchNormShape;
using kernels::Cost;
using kernels::Stream;
namespace cpu = kernels::cpu;

struct Layer {
    const char* name;
    int side, channels;
    Activation activation;
};

const Layer layers[] = {
    {"expand, stage 2", 128, 144, Activation::silu}, {"project, stage 2", 64, 32, Activation::none},
    {"expand, stage 3", 32, 336, Activation::silu},  {"expand, stage 6", 8, 1632, Activation::silu},
    {"decoder 256 px", 256, 16, Activation::relu},
};

enum class Pass { statistics, forward, backward };

OpCall make_call(const BatchNormShape& s, Pass pass, DType type) {
    const Tensor x = filled({s.rows, s.channels}, type), y = filled({s.rows, s.channels}, type);
    const Tensor mean = filled({s.channels}, DType::f32), variance = filled({s.channels}, DType::f32, 0.5f, 2);
    const Tensor gamma = filled({s.channels}, DType::f32, 0.5f, 2), beta = filled({s.channels}, DType::f32);
    const Tensor dgamma = zeroed({s.channels}, DType::f32), dbeta = zeroed({s.channels}, DType::f32);
    const Tensor dx = pass == Pass::backward ? zeroed({s.rows, s.channels}, type) : Tensor();
    const auto ours = [=] {
        Stream stream;
        if (pass == Pass::statistics)
            cpu::batch_norm_statistics(stream, s, x, mean, variance);
        else if (pass == Pass::forward)
            cpu::batch_norm_forward(stream, s, x, mean, variance, gamma, beta, y);
        else
            cpu::batch_norm_backward(stream, s, x, mean, variance, gamma, beta, y, dx, dgamma, dbeta);
    };
    return {ours, {}};
}

Cost cost_of(const BatchNormShape& s, Pass pass, DType type) {
    if (pass == Pass::statistics) return batch_norm_statistics_cost(s, type);
    return pass == Pass::forward ? kernels::cost(s, type) : batch_norm_backward_cost(s, type, false);
}

std::string op_of(Pass pass, Activation f) {
    if (pass == Pass::statistics) return "batch norm statistics";
    const std::string with = f == Activation::none ? "" : fmt::format(" + {}", kernels::name_of(f));
    return fmt::format("batch norm{} {}", with, pass == Pass::forward ? "forward" : "backward");
}

}  // namespace

std::vector<OpCase> norm_cases() {
    std::vector<OpCase> cases;
    for (const DType type : op_types())
        for (const Pass pass : {Pass::statistics, Pass::forward, Pass::backward})
            for (const Layer& layer : layers) {
                const BatchNormShape s{8LL * layer.side * layer.side, layer.channels, 1e-3f, layer.activation};
                cases.push_back({.op = op_of(pass, layer.activation),
                                 .layer = layer.name,
                                 .shape = fmt::format("{}x{}x{}", layer.side, layer.side, layer.channels),
                                 .type = type,
                                 .cost = cost_of(s, pass, type),
                                 .make = [=] { return make_call(s, pass, type); }});
            }
    return cases;
}

}  // namespace karyon::bench
