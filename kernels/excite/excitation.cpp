#include "kernels/excite/excitation.h"

#include "kernels/blocks.h"
#include "kernels/elementwise/activation_math.h"

namespace karyon::kernels::cpu {
namespace {

KARYON_SIMD float dot(int count, const float* a, const float* b) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int i = 0; i < count; ++i) sum += a[i] * b[i];
    return sum;
}

/// y += scale * x
KARYON_SIMD void add_scaled(int count, float scale, const float* x, float* y) {
#pragma GCC ivdep
    for (int i = 0; i < count; ++i) y[i] += scale * x[i];
}

std::vector<float> activated(std::size_t count, const float* hidden) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = activate<Activation::silu>(hidden[i]);
    return values;
}

/// y[n, o] = w[o, :] . x[n, :] + b[o] for every image and output. Outputs are spread over the threads, since a batch of
/// one still has hundreds of them.
template <typename Finish>
void fully_connected(int batch, int inputs, int outputs, const float* w, const float* b, const float* x, float* y,
                     Finish finish) {
    constexpr std::int64_t outputs_per_item = 64;
    for_each_block(outputs, outputs_per_item, [=](std::int64_t, std::int64_t begin, std::int64_t size) {
        for (std::int64_t o = begin; o < begin + size; ++o)
            for (int n = 0; n < batch; ++n)
                y[std::int64_t{n} * outputs + o] =
                    finish(dot(inputs, w + o * inputs, x + std::int64_t{n} * inputs) + b[o]);
    });
}

/// dw[o, :] += sum_n dy[n, o] x[n, :], db[o] += sum_n dy[n, o].
void fully_connected_parameters(int batch, int inputs, int outputs, const float* x, const float* dy, float* dw,
                                float* db) {
    constexpr std::int64_t outputs_per_item = 64;
    for_each_block(outputs, outputs_per_item, [=](std::int64_t, std::int64_t begin, std::int64_t size) {
        for (std::int64_t o = begin; o < begin + size; ++o)
            for (int n = 0; n < batch; ++n) {
                const float gradient = dy[std::int64_t{n} * outputs + o];
                if (dw) add_scaled(inputs, gradient, x + std::int64_t{n} * inputs, dw + o * inputs);
                if (db) db[o] += gradient;
            }
    });
}

/// dx[n, :] = scale * sum_o dy[n, o] w[o, :].
std::vector<float> fully_connected_inputs(int batch, int inputs, int outputs, const float* w, const float* dy,
                                          float scale) {
    std::vector<float> dx(static_cast<std::size_t>(batch) * static_cast<std::size_t>(inputs));
    for_each_item(batch, [&](std::int64_t n) {
        for (int o = 0; o < outputs; ++o)
            add_scaled(inputs, scale * dy[n * outputs + o], w + std::int64_t{o} * inputs, dx.data() + n * inputs);
    });
    return dx;
}

}  // namespace

void excite_forward(const SqueezeExciteShape& shape, const float* w1, const float* b1, const float* w2, const float* b2,
                    const float* pooled, float* hidden, float* gate) {
    fully_connected(shape.batch, shape.channels, shape.reduced, w1, b1, pooled, hidden, [](float z) { return z; });
    const auto count = static_cast<std::size_t>(shape.batch) * static_cast<std::size_t>(shape.reduced);
    const std::vector<float> activations = activated(count, hidden);
    fully_connected(shape.batch, shape.reduced, shape.channels, w2, b2, activations.data(), gate,
                    [](float z) { return sigmoid_f32(z); });
}

std::vector<float> excite_backward(const SqueezeExciteShape& shape, const ExciteWeights& weights, const float* pooled,
                                   const float* hidden, const float* gate, std::vector<float> dgate,
                                   const ExciteGradients& gradients) {
    for (std::size_t i = 0; i < dgate.size(); ++i) dgate[i] *= gate[i] * (1 - gate[i]);
    const auto count = static_cast<std::size_t>(shape.batch) * static_cast<std::size_t>(shape.reduced);
    const std::vector<float> activations = activated(count, hidden);
    fully_connected_parameters(shape.batch, shape.reduced, shape.channels, activations.data(), dgate.data(),
                               gradients.w2, gradients.b2);

    std::vector<float> dhidden =
        fully_connected_inputs(shape.batch, shape.reduced, shape.channels, weights.w2, dgate.data(), 1);
    for (std::size_t i = 0; i < count; ++i) dhidden[i] *= activation_slope<Activation::silu>(hidden[i]);
    fully_connected_parameters(shape.batch, shape.channels, shape.reduced, pooled, dhidden.data(), gradients.w1,
                               gradients.b1);
    return fully_connected_inputs(shape.batch, shape.channels, shape.reduced, weights.w1, dhidden.data(),
                                  1 / static_cast<float>(shape.pixels));
}

}  // namespace karyon::kernels::cpu
