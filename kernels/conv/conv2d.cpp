#include "kernels/conv/conv2d.h"

#include <omp.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "kernels/conv/check_shape.h"
#include "kernels/conv/onednn.h"
#include "kernels/conv/single_output.h"
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
using tag = memory::format_tag;

constexpr const char* op = "conv2d";

void check(const Conv2dShape& s) {
    check_positive(op, "in_channels", s.in_channels);
    check_positive(op, "out_channels", s.out_channels);
    check_window(op, s);
}

/// What one (shape, direction) needs at run time: the convolution and the reorder between the caller's weights and
/// the layout that the convolution prefers.
struct Plan {
    memory::desc src, weights, bias, dst;
    bool swapped = false;  ///< see swap_pointwise
    onednn::Convolution convolution;
    onednn::Reorder reorder;

    std::size_t packed_bytes() const { return (convolution.weights.get_size() + 63) / 64 * 64; }
    std::span<std::byte> scratch() const {
        return onednn::scratch(packed_bytes() + std::max(convolution.scratchpad_bytes, reorder.scratchpad_bytes));
    }
};

/// The weight gradient of a pointwise convolution is dy^T x, a transpose of x^T dy, so x and dy may change places.
/// oneDNN is up to 1.5 times faster when the wider one is `src`: makes it so and returns true if they were the other
/// way round.
bool swap_pointwise(const Conv2dShape& s, onednn::ConvolutionMemory& m, memory::desc& weights) {
    if (s.kernel != 1 || s.stride != 1 || s.pad != Padding{} || s.out_channels <= s.in_channels) return false;
    std::swap(m.src, m.dst);
    const memory::dims transposed = {s.in_channels, s.out_channels, 1, 1};
    m.weights = {transposed, memory::data_type::f32, tag::any};
    weights = {transposed, memory::data_type::f32, memory::dims{1, s.in_channels, 1, 1}};
    return true;
}

Plan make_plan(const Conv2dShape& s, Direction direction, bool with_bias) {
    const auto f32 = memory::data_type::f32;
    const memory::dims weight_dims = {s.out_channels, s.in_channels, s.kernel, s.kernel};
    onednn::ConvolutionMemory m;
    m.src = {{s.batch, s.in_channels, s.height, s.width}, f32, tag::nhwc};
    m.weights = {weight_dims, f32, tag::any};
    if (with_bias) m.bias = {{s.out_channels}, f32, tag::x};
    m.dst = {{s.batch, s.out_channels, s.out_height(), s.out_width()}, f32, tag::nhwc};
    m.strides = {s.stride, s.stride};
    m.pad_before = {s.pad.top, s.pad.left};
    m.pad_after = {s.pad.bottom, s.pad.right};

    Plan plan;
    plan.weights = {weight_dims, f32, tag::ohwi};
    plan.swapped = direction == Direction::backward_weights && swap_pointwise(s, m, plan.weights);
    plan.src = m.src, plan.bias = m.bias, plan.dst = m.dst;
    plan.convolution = onednn::make_convolution(direction, m);
    if (direction == Direction::backward_weights)
        plan.reorder = onednn::make_reorder(plan.convolution.weights, plan.weights, true);
    else
        plan.reorder = onednn::make_reorder(plan.weights, plan.convolution.weights, false);
    return plan;
}

/// Plans are kept, since making one generates machine code. The number of threads is part of the key: oneDNN divides
/// the work when the primitive is made. A program that meets ever new shapes starts over after `most`.
std::shared_ptr<const Plan> plan_for(const Conv2dShape& s, Direction direction, bool with_bias) {
    constexpr std::size_t most = 1024;
    static std::mutex mutex;
    static std::map<std::array<int, 14>, std::shared_ptr<const Plan>> plans;

    const std::array<int, 14> key = {s.batch,        s.height,
                                     s.width,        s.in_channels,
                                     s.out_channels, s.kernel,
                                     s.stride,       s.pad.top,
                                     s.pad.left,     s.pad.bottom,
                                     s.pad.right,    static_cast<int>(direction),
                                     with_bias,      omp_get_max_threads()};
    const std::lock_guard lock(mutex);
    if (plans.size() >= most) plans.clear();
    auto& plan = plans[key];
    if (!plan) {
        try {
            plan = std::make_shared<const Plan>(make_plan(s, direction, with_bias));
        } catch (const dnnl::error& error) {
            throw Error(op,
                        "expected a shape that oneDNN supports, got batch {} height {} width {} in {} out {} kernel "
                        "{} stride {}: {}",
                        s.batch, s.height, s.width, s.in_channels, s.out_channels, s.kernel, s.stride, error.what());
        }
    }
    return plan;
}

/// The weights as the convolution wants them: packed into scratch memory, or as they are.
memory pack_weights(const Plan& plan, In w, std::span<std::byte> scratch) {
    const memory given = onednn::bind(plan.weights, w.as<float>());
    if (plan.convolution.weights == plan.weights) return given;
    const memory packed = onednn::bind(plan.convolution.weights, scratch.data());
    onednn::execute(plan.reorder.primitive, {{DNNL_ARG_FROM, given}, {DNNL_ARG_TO, packed}},
                    scratch.subspan(plan.packed_bytes(), plan.reorder.scratchpad_bytes));
    return packed;
}

KARYON_SIMD void sum_rows(const float* rows, std::size_t count, std::size_t channels, float* sum) {
    for (std::size_t c = 0; c < channels; ++c) sum[c] = 0;
    for (std::size_t row = 0; row < count; ++row)
        for (std::size_t c = 0; c < channels; ++c) sum[c] += rows[row * channels + c];
}

/// sum += the sum of `rows` over its first axis, by partial sums of fixed length added in order.
void add_sum_of_rows(const float* rows, std::size_t count, std::size_t channels, float* sum) {
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

void add_weight_gradient(const Conv2dShape& shape, const float* x, const float* dy, float* dw) {
    const auto plan = plan_for(shape, Direction::backward_weights, false);
    const auto scratch = plan->scratch();
    if (plan->swapped) std::swap(x, dy);
    const memory gradient = onednn::bind(plan->convolution.weights, scratch.data());
    onednn::execute(plan->convolution.primitive,
                    {{DNNL_ARG_SRC, onednn::bind(plan->src, x)},
                     {DNNL_ARG_DIFF_DST, onednn::bind(plan->dst, dy)},
                     {DNNL_ARG_DIFF_WEIGHTS, gradient}},
                    scratch.subspan(plan->packed_bytes(), plan->convolution.scratchpad_bytes));
    onednn::execute(plan->reorder.primitive,
                    {{DNNL_ARG_FROM, gradient}, {DNNL_ARG_TO, onednn::bind(plan->weights, dw)}},
                    scratch.subspan(plan->packed_bytes(), plan->reorder.scratchpad_bytes));
}

}  // namespace

void conv2d_forward(Stream&, const Conv2dShape& shape, In x, In w, In bias, Out y) {
    check(shape);
    if (is_single_output(shape))
        return single_output_forward(shape, x.as<float>(), w.as<float>(), bias.as<float>(), y.as<float>());
    const auto plan = plan_for(shape, Direction::forward, bool(bias));
    const auto scratch = plan->scratch();
    std::unordered_map<int, memory> arguments = {{DNNL_ARG_SRC, onednn::bind(plan->src, x.as<float>())},
                                                 {DNNL_ARG_DST, onednn::bind(plan->dst, y.as<float>())},
                                                 {DNNL_ARG_WEIGHTS, pack_weights(*plan, w, scratch)}};
    if (bias) arguments.emplace(DNNL_ARG_BIAS, onednn::bind(plan->bias, bias.as<float>()));
    onednn::execute(plan->convolution.primitive, std::move(arguments),
                    scratch.subspan(plan->packed_bytes(), plan->convolution.scratchpad_bytes));
}

void conv2d_backward_data(Stream&, const Conv2dShape& shape, In dy, In w, Out dx) {
    check(shape);
    const auto plan = plan_for(shape, Direction::backward_data, false);
    const auto scratch = plan->scratch();
    onednn::execute(plan->convolution.primitive,
                    {{DNNL_ARG_DIFF_SRC, onednn::bind(plan->src, dx.as<float>())},
                     {DNNL_ARG_DIFF_DST, onednn::bind(plan->dst, dy.as<float>())},
                     {DNNL_ARG_WEIGHTS, pack_weights(*plan, w, scratch)}},
                    scratch.subspan(plan->packed_bytes(), plan->convolution.scratchpad_bytes));
}

void conv2d_backward_weights(Stream&, const Conv2dShape& shape, In x, In dy, Out dw, Out dbias) {
    check(shape);
    if (is_single_output(shape))
        single_output_backward_weights(shape, x.as<float>(), dy.as<float>(), dw.as<float>());
    else
        add_weight_gradient(shape, x.as<float>(), dy.as<float>(), dw.as<float>());
    if (dbias)
        add_sum_of_rows(dy.as<float>(), std::size_t(shape.batch) * shape.out_height() * shape.out_width(),
                        shape.out_channels, dbias.as<float>());
}

}  // namespace cpu
}  // namespace karyon::kernels
