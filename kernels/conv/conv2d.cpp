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
using tag = memory::format_tag;

constexpr const char* op = "conv2d";

memory::data_type type_of(DType type) {
    if (type != DType::f32 && type != DType::bf16) throw Error(op, "expected f32 or bf16, got {}", name_of(type));
    return type == DType::f32 ? memory::data_type::f32 : memory::data_type::bf16;
}

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
bool swap_pointwise(const Conv2dShape& s, memory::data_type type, onednn::ConvolutionMemory& m, memory::desc& weights) {
    if (s.kernel != 1 || s.stride != 1 || s.pad != Padding{} || s.out_channels <= s.in_channels) return false;
    std::swap(m.src, m.dst);
    const memory::dims transposed = {s.in_channels, s.out_channels, 1, 1};
    m.weights = {transposed, memory::data_type::f32, tag::any};
    m.forward_weights = {transposed, type, tag::any};
    weights = {transposed, memory::data_type::f32, memory::dims{1, s.in_channels, 1, 1}};
    return true;
}

/// `type` is that of the activations and, but for their gradient, of the weights.
Plan make_plan(const Conv2dShape& s, DType type, Direction direction, bool with_bias) {
    const auto f32 = memory::data_type::f32, given = type_of(type);
    const auto of_weights = direction == Direction::backward_weights ? f32 : given;
    const memory::dims weight_dims = {s.out_channels, s.in_channels, s.kernel, s.kernel};
    onednn::ConvolutionMemory m;
    m.src = {{s.batch, s.in_channels, s.height, s.width}, given, tag::nhwc};
    m.weights = {weight_dims, of_weights, tag::any};
    m.forward_weights = {weight_dims, given, tag::any};
    if (with_bias) m.bias = {{s.out_channels}, f32, tag::x};
    m.dst = {{s.batch, s.out_channels, s.out_height(), s.out_width()}, given, tag::nhwc};
    m.strides = {s.stride, s.stride};
    m.pad_before = {s.pad.top, s.pad.left};
    m.pad_after = {s.pad.bottom, s.pad.right};

    Plan plan;
    plan.weights = {weight_dims, of_weights, tag::ohwi};
    plan.swapped = direction == Direction::backward_weights && swap_pointwise(s, given, m, plan.weights);
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
std::shared_ptr<const Plan> plan_for(const Conv2dShape& s, DType type, Direction direction, bool with_bias) {
    constexpr std::size_t most = 1024;
    static std::mutex mutex;
    static std::map<std::array<int, 15>, std::shared_ptr<const Plan>> plans;

    const std::array<int, 15> key = {s.batch,
                                     s.height,
                                     s.width,
                                     s.in_channels,
                                     s.out_channels,
                                     s.kernel,
                                     s.stride,
                                     s.pad.top,
                                     s.pad.left,
                                     s.pad.bottom,
                                     s.pad.right,
                                     static_cast<int>(direction),
                                     static_cast<int>(type),
                                     with_bias,
                                     omp_get_max_threads()};
    const std::lock_guard lock(mutex);
    if (plans.size() >= most) plans.clear();
    auto& plan = plans[key];
    if (!plan) {
        try {
            plan = std::make_shared<const Plan>(make_plan(s, type, direction, with_bias));
        } catch (const dnnl::error& error) {
            throw Error(op,
                        "expected a shape that oneDNN supports, got {} batch {} height {} width {} in {} out {} kernel "
                        "{} stride {}: {}",
                        name_of(type), s.batch, s.height, s.width, s.in_channels, s.out_channels, s.kernel, s.stride,
                        error.what());
        }
    }
    return plan;
}

/// Pointers to elements of the type that the plan was made for.
const void* data(In x, DType type) {
    return type == DType::f32 ? static_cast<const void*>(x.as<float>()) : x.as<bfloat16>();
}
const void* data(Out y, DType type) {
    return type == DType::f32 ? static_cast<const void*>(y.as<float>()) : y.as<bfloat16>();
}

/// The weights as the convolution wants them: packed into scratch memory, or as they are.
memory pack_weights(const Plan& plan, const void* w, std::span<std::byte> scratch) {
    const memory given = onednn::bind(plan.weights, w);
    if (plan.convolution.weights == plan.weights) return given;
    const memory packed = onednn::bind(plan.convolution.weights, scratch.data());
    onednn::execute(plan.reorder.primitive, {{DNNL_ARG_FROM, given}, {DNNL_ARG_TO, packed}},
                    scratch.subspan(plan.packed_bytes(), plan.reorder.scratchpad_bytes));
    return packed;
}

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
    const auto plan = plan_for(shape, type, Direction::backward_weights, false);
    const void *x = data(x_in, type), *dy = data(dy_in, type);
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

bool has_bf16() {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512bf16");
#else
    return false;
#endif
}

void conv2d_forward(Stream&, const Conv2dShape& shape, In x, In w, In bias, Out y) {
    check(shape);
    const DType type = x.dtype();
    if (is_single_output(shape))
        return with_float_type(op, type, [&]<typename T>() {
            single_output_forward(shape, x.as<T>(), w.as<T>(), bias.as<float>(), y.as<T>());
        });
    const auto plan = plan_for(shape, type, Direction::forward, bool(bias));
    const auto scratch = plan->scratch();
    std::unordered_map<int, memory> arguments = {{DNNL_ARG_SRC, onednn::bind(plan->src, data(x, type))},
                                                 {DNNL_ARG_DST, onednn::bind(plan->dst, data(y, type))},
                                                 {DNNL_ARG_WEIGHTS, pack_weights(*plan, data(w, type), scratch)}};
    if (bias) arguments.emplace(DNNL_ARG_BIAS, onednn::bind(plan->bias, bias.as<float>()));
    onednn::execute(plan->convolution.primitive, std::move(arguments),
                    scratch.subspan(plan->packed_bytes(), plan->convolution.scratchpad_bytes));
}

void conv2d_backward_data(Stream&, const Conv2dShape& shape, In dy, In w, Out dx) {
    check(shape);
    const DType type = dy.dtype();
    const auto plan = plan_for(shape, type, Direction::backward_data, false);
    const auto scratch = plan->scratch();
    onednn::execute(plan->convolution.primitive,
                    {{DNNL_ARG_DIFF_SRC, onednn::bind(plan->src, data(dx, type))},
                     {DNNL_ARG_DIFF_DST, onednn::bind(plan->dst, data(dy, type))},
                     {DNNL_ARG_WEIGHTS, pack_weights(*plan, data(w, type), scratch)}},
                    scratch.subspan(plan->packed_bytes(), plan->convolution.scratchpad_bytes));
}

void conv2d_backward_weights(Stream&, const Conv2dShape& shape, In x, In dy, Out dw, Out dbias) {
    check(shape);
    with_float_type(op, x.dtype(), [&]<typename T>() {
        if (is_single_output(shape))
            single_output_backward_weights(shape, x.as<T>(), dy.as<T>(), dw.as<float>());
        else
            add_weight_gradient(shape, x, dy, dw.as<float>());
        if (dbias)
            add_sum_of_rows(dy.as<T>(), std::size_t(shape.batch) * shape.out_height() * shape.out_width(),
                            std::size_t(shape.out_channels), dbias.as<float>());
    });
}

}  // namespace cpu
}  // namespace karyon::kernels
