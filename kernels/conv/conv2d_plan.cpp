#include "kernels/conv/conv2d_plan.h"

#include <omp.h>

#include <array>
#include <map>
#include <mutex>
#include <utility>

#include "kernels/conv/check_shape.h"

namespace karyon::kernels::cpu {
namespace {

using dnnl::memory;
using onednn::Direction;
using tag = memory::format_tag;

constexpr const char* op = "conv2d";

memory::data_type type_of(DType type) {
    if (type != DType::f32 && type != DType::bf16) throw Error(op, "expected f32 or bf16, got {}", name_of(type));
    return type == DType::f32 ? memory::data_type::f32 : memory::data_type::bf16;
}

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

Conv2dPlan make_plan(const Conv2dRequest& request) {
    const Conv2dShape& s = request.shape;
    const Direction direction = request.direction;
    const auto f32 = memory::data_type::f32, given = type_of(request.type);
    const auto of_weights = direction == Direction::backward_weights ? f32 : given;
    const memory::dims weight_dims = {s.out_channels, s.in_channels, s.kernel, s.kernel};
    onednn::ConvolutionMemory m;
    m.src = {{s.batch, s.in_channels, s.height, s.width}, given, tag::nhwc};
    m.weights = {weight_dims, of_weights, tag::any};
    m.forward_weights = {weight_dims, given, tag::any};
    if (request.with_bias) m.bias = {{s.out_channels}, f32, tag::x};
    m.dst = {{s.batch, s.out_channels, s.out_height(), s.out_width()}, given, tag::nhwc};
    m.with_relu = request.with_relu;
    m.strides = {s.stride, s.stride};
    m.pad_before = {s.pad.top, s.pad.left};
    m.pad_after = {s.pad.bottom, s.pad.right};

    Conv2dPlan plan;
    plan.weights = {weight_dims, of_weights, tag::ohwi};
    plan.swapped = direction == Direction::backward_weights && swap_pointwise(s, given, m, plan.weights);
    plan.src = m.src, plan.bias = m.bias, plan.dst = m.dst;
    plan.convolution = onednn::make_convolution(direction, m);
    const memory::dims gradient_dims = plan.swapped ? memory::dims{s.in_channels, s.out_channels, 1, 1} : weight_dims;
    if (direction == Direction::backward_weights &&
        plan.convolution.weights == memory::desc(gradient_dims, f32, tag::OIhw16i16o)) {
        const int taps = s.kernel * s.kernel;
        plan.blocked =
            plan.swapped ? BlockedGradient{s.in_channels, s.out_channels, 1, 1, s.in_channels, 0}
                         : BlockedGradient{s.out_channels, s.in_channels, taps, taps * s.in_channels, 1, s.in_channels};
    }
    if (direction == Direction::backward_weights)
        plan.reorder = onednn::make_reorder(plan.convolution.weights, plan.weights, true);
    else
        plan.reorder = onednn::make_reorder(plan.weights, plan.convolution.weights, false);
    return plan;
}

}  // namespace

void check_conv2d(const Conv2dShape& s) {
    check_positive(op, "in_channels", s.in_channels);
    check_positive(op, "out_channels", s.out_channels);
    check_window(op, s);
}

/// Plans are kept, since making one generates machine code. The number of threads is part of the key: oneDNN divides
/// the work when the primitive is made. A program that meets ever new shapes starts over after `most`.
std::shared_ptr<const Conv2dPlan> plan_for(const Conv2dRequest& request) {
    const Conv2dShape& s = request.shape;
    check_conv2d(s);
    constexpr std::size_t most = 1024;
    static std::mutex mutex;
    static std::map<std::array<int, 16>, std::shared_ptr<const Conv2dPlan>> plans;

    const std::array<int, 16> key = {s.batch,
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
                                     static_cast<int>(request.direction),
                                     static_cast<int>(request.type),
                                     request.with_bias,
                                     request.with_relu,
                                     omp_get_max_threads()};
    const std::lock_guard lock(mutex);
    if (plans.size() >= most) plans.clear();
    auto& plan = plans[key];
    if (!plan) {
        try {
            plan = std::make_shared<const Conv2dPlan>(make_plan(request));
        } catch (const dnnl::error& error) {
            throw Error(op,
                        "expected a shape that oneDNN supports, got {} batch {} height {} width {} in {} out {} kernel "
                        "{} stride {}: {}",
                        name_of(request.type), s.batch, s.height, s.width, s.in_channels, s.out_channels, s.kernel,
                        s.stride, error.what());
        }
    }
    return plan;
}

memory Conv2dPlan::pack(const void* w, std::span<std::byte> scratch) const {
    const memory given = onednn::bind(weights, w);
    if (convolution.weights == weights) return given;
    const memory packed = onednn::bind(convolution.weights, scratch.data());
    onednn::execute(reorder.primitive, {{DNNL_ARG_FROM, given}, {DNNL_ARG_TO, packed}},
                    scratch.subspan(packed_bytes(), reorder.scratchpad_bytes));
    return packed;
}

void Conv2dPlan::forward(const void* x, const memory& packed, const float* bias_values, void* y,
                         std::span<std::byte> scratchpad) const {
    std::unordered_map<int, memory> arguments = {
        {DNNL_ARG_SRC, onednn::bind(src, x)}, {DNNL_ARG_DST, onednn::bind(dst, y)}, {DNNL_ARG_WEIGHTS, packed}};
    if (bias_values) arguments.emplace(DNNL_ARG_BIAS, onednn::bind(bias, bias_values));
    onednn::execute(convolution.primitive, std::move(arguments), scratchpad);
}

}  // namespace karyon::kernels::cpu
