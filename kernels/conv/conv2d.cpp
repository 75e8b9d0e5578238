#include "kernels/conv/conv2d.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "kernels/conv/conv2d_plan.h"
#include "kernels/conv/single_output.h"
#include "kernels/conv/winograd.h"
#include "kernels/float_type.h"
#include "kernels/simd.h"

namespace karyon::kernels {

Cost cost(const Conv2dShape& s, DType type) {
    const double pixels = double(s.batch) * s.out_height() * s.out_width();
    const double weights = double(s.out_channels) * s.kernel * s.kernel * s.in_channels;
    const double elements = double(s.batch) * s.height * s.width * s.in_channels + weights + pixels * s.out_channels;
    return {elements * double(size_of(type)), 2 * pixels * weights};
}

namespace cpu {
namespace {

using dnnl::memory;
using onednn::Direction;

constexpr const char* op = "conv2d";

template <typename T>
KARYON_SIMD void sum_rows(const T* rows, std::size_t count, std::size_t channels, float* sum) {
    for (std::size_t c = 0; c < channels; ++c) sum[c] = 0;
    for (std::size_t row = 0; row < count; ++row)
        for (std::size_t c = 0; c < channels; ++c) sum[c] += float(rows[row * channels + c]);
}

/// sum += the sum of `rows` over its first axis, by partial sums of fixed length added in order.
template <typename T>
void add_sum_of_rows(const T* rows, std::size_t count, std::size_t channels, float* sum) {
    constexpr std::size_t length = 256;
    const std::size_t chunks = (count + length - 1) / length;
    std::vector<float> partial(chunks * channels);
#pragma omp parallel for schedule(static)
    for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
        const std::size_t first = chunk * length;
        sum_rows(rows + first * channels, std::min(length, count - first), channels, &partial[chunk * channels]);
    }
    for (std::size_t c = 0; c < channels; ++c) {
        double total = 0;
        for (std::size_t chunk = 0; chunk < chunks; ++chunk) total += double(partial[chunk * channels + c]);
        sum[c] += static_cast<float>(total);
    }
}

void add_weight_gradient(const Conv2dShape& shape, In x_in, In dy_in, float* dw) {
    const DType type = x_in.dtype();
    const auto plan = plan_for({.shape = shape, .type = type, .direction = Direction::backward_weights});
    const void *x = data(x_in, type), *dy = data(dy_in, type);
    const auto scratch = plan->scratch();
    if (plan->swapped) std::swap(x, dy);
    const memory gradient = onednn::bind(plan->convolution.weights, scratch.data());
    onednn::execute(plan->convolution.primitive,
                    {{DNNL_ARG_SRC, onednn::bind(plan->src, x)},
                     {DNNL_ARG_DIFF_DST, onednn::bind(plan->dst, dy)},
                     {DNNL_ARG_DIFF_WEIGHTS, gradient}},
                    scratch.subspan(plan->packed_bytes(), plan->convolution.scratchpad_bytes));
    if (plan->blocked.taps)
        return add_blocked_gradient(plan->blocked, reinterpret_cast<const float*>(scratch.data()), dw);
    onednn::execute(plan->reorder.primitive,
                    {{DNNL_ARG_FROM, gradient}, {DNNL_ARG_TO, onednn::bind(plan->weights, dw)}},
                    scratch.subspan(plan->packed_bytes(), plan->reorder.scratchpad_bytes));
}

/// Weights of one call, in memory that the next call uses again.
template <typename T>
const float* transformed(const Conv2dShape& shape, const T* w, bool backward) {
    const std::size_t count = winograd_weight_count(shape.in_channels, shape.out_channels);
    auto* const to = reinterpret_cast<float*>(onednn::scratch(count * sizeof(float)).data());
    winograd_transform_weights(shape, w, backward, to);
    return to;
}

}  // namespace

bool has_bf16() {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512bf16");
#else
    return false;
#endif
}

void conv2d_forward(Stream&, const Conv2dShape& shape, In x, In w, In bias, Out y) {
    check_conv2d(shape);
    const DType type = x.dtype();
    if (is_single_output(shape))
        return with_float_type(op, type, [&]<typename T>() {
            single_output_forward(shape, x.as<T>(), w.as<T>(), bias.as<float>(), y.as<T>());
        });
    if (winograd_serves_forward(shape, type))
        return with_float_type(op, type, [&]<typename T>() {
            winograd_forward(shape, x.as<T>(), transformed(shape, w.as<T>(), false), bias.as<float>(), Activation::none,
                             y.as<T>());
        });
    const auto plan = plan_for({.shape = shape, .type = type, .with_bias = bool(bias)});
    const auto scratch = plan->scratch();
    plan->forward(data(x, type), plan->pack(data(w, type), scratch), bias.as<float>(), data(y, type),
                  scratch.subspan(plan->packed_bytes(), plan->convolution.scratchpad_bytes));
}

void conv2d_backward_data(Stream&, const Conv2dShape& shape, In dy, In w, Out dx) {
    const DType type = dy.dtype();
    check_conv2d(shape);
    if (const Conv2dShape back = winograd_backward_shape(shape); winograd_serves_forward(back, type))
        return with_float_type(op, type, [&]<typename T>() {
            winograd_forward(back, dy.as<T>(), transformed(back, w.as<T>(), true), nullptr, Activation::none,
                             dx.as<T>());
        });
    const auto plan = plan_for({.shape = shape, .type = type, .direction = Direction::backward_data});
    const auto scratch = plan->scratch();
    onednn::execute(plan->convolution.primitive,
                    {{DNNL_ARG_DIFF_SRC, onednn::bind(plan->src, data(dx, type))},
                     {DNNL_ARG_DIFF_DST, onednn::bind(plan->dst, data(dy, type))},
                     {DNNL_ARG_WEIGHTS, plan->pack(data(w, type), scratch)}},
                    scratch.subspan(plan->packed_bytes(), plan->convolution.scratchpad_bytes));
}

void conv2d_backward_weights(Stream&, const Conv2dShape& shape, In x, In dy, Out dw, Out dbias) {
    check_conv2d(shape);
    with_float_type(op, x.dtype(), [&]<typename T>() {
        if (is_single_output(shape))
            single_output_backward_weights(shape, x.as<T>(), dy.as<T>(), dw.as<float>());
        else if (winograd_serves(shape))
            winograd_backward_weights(shape, x.as<T>(), dy.as<T>(), dw.as<float>());
        else
            add_weight_gradient(shape, x, dy, dw.as<float>());
        if (dbias)
            add_sum_of_rows(dy.as<T>(), std::size_t(shape.batch) * shape.out_height() * shape.out_width(),
                            std::size_t(shape.out_channels), dbias.as<float>());
    });
}

}  // namespace cpu
}  // namespace karyon::kernels
