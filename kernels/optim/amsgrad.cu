#include "kernels/map.cuh"
#include "kernels/optim/amsgrad.h"
#include "kernels/sum_elements.cuh"

namespace karyon::kernels::gpu {
namespace {

constexpr int block_threads = 256;

using Floats = Pack<float>;

struct Arrays {
    const float* grad;
    float *param, *m, *v, *vmax, *average;
};

/// One parameter and its state.
struct Parameter {
    float param, m, v, vmax;

    __device__ void update(const AmsgradCoefficients& k, float grad_scale, float grad) {
        const float g = grad * grad_scale;
        m = k.beta1 * m + (1.0f - k.beta1) * g;
        v = k.beta2 * v + (1.0f - k.beta2) * (g * g);
        vmax = vmax > v ? vmax : v;
        param = param * k.keep - k.rate * m / (sqrtf(vmax) * k.root_scale + k.eps);
    }
};

__device__ float averaged(float decay, float average, float param) { return decay * average + (1.0f - decay) * param; }

/// The scale that brings a gradient of `norm` down to `max_norm`.
__device__ float clip_scale(float norm, float max_norm) {
    return max_norm > 0.0f && norm > max_norm ? max_norm / norm : 1.0f;
}

// One thread per 4 parameters: 5 or 6 loads of 16 bytes in flight. What is read from the device besides is one sector
// of coefficients in two requests and one of the norm, to a warp's 144.
template <bool with_average>
__device__ void update_span(const BlockSpan& span, const AmsgradCoefficients& k, float grad_scale, const Arrays& a) {
    const auto pack = [](auto* array, std::int64_t at) -> auto& {
        using Element = std::remove_pointer_t<decltype(array)>;
        return *reinterpret_cast<std::conditional_t<std::is_const_v<Element>, const Floats, Floats>*>(array + at);
    };
    const std::int64_t first = span.begin + static_cast<int>(threadIdx.x) * Floats::width;
    if (first < span.packed) {
        const Floats grad = pack(a.grad, first);
        Floats param = pack(a.param, first), m = pack(a.m, first), v = pack(a.v, first), vmax = pack(a.vmax, first);
        Floats average{};
        if constexpr (with_average) average = pack(a.average, first);
#pragma unroll
        for (int i = 0; i < Floats::width; ++i) {
            Parameter p{param.at[i], m.at[i], v.at[i], vmax.at[i]};
            p.update(k, grad_scale, grad.at[i]);
            param.at[i] = p.param, m.at[i] = p.m, v.at[i] = p.v, vmax.at[i] = p.vmax;
            if constexpr (with_average) average.at[i] = averaged(k.average_decay, average.at[i], p.param);
        }
        pack(a.param, first) = param;
        pack(a.m, first) = m;
        pack(a.v, first) = v;
        pack(a.vmax, first) = vmax;
        if constexpr (with_average) pack(a.average, first) = average;
    }
    for (std::int64_t i = span.packed + threadIdx.x; i < span.end; i += block_threads) {
        Parameter p{a.param[i], a.m[i], a.v[i], a.vmax[i]};
        p.update(k, grad_scale, a.grad[i]);
        a.param[i] = p.param, a.m[i] = p.m, a.v[i] = p.v, a.vmax[i] = p.vmax;
        if constexpr (with_average) a.average[i] = averaged(k.average_decay, a.average[i], p.param);
    }
}

constexpr int per_block = block_threads * Floats::width;

__global__ void __launch_bounds__(block_threads)
    amsgrad_kernel(std::int64_t count, bool aligned, AmsgradCoefficients k, Arrays arrays) {
    const BlockSpan span(std::int64_t{blockIdx.x} * per_block, per_block, count, aligned, Floats::width);
    update_span<false>(span, k, k.grad_scale, arrays);
}

template <bool with_average>
__global__ void __launch_bounds__(block_threads)
    amsgrad_on_device_kernel(std::int64_t count, bool aligned, const AmsgradCoefficients* coefficients,
                             const float* norm, float max_norm, Arrays arrays) {
    const AmsgradCoefficients k = *coefficients;
    const float gradient_norm = norm ? *norm : 0.0f;
    if (!isfinite(gradient_norm)) return;
    const BlockSpan span(std::int64_t{blockIdx.x} * per_block, per_block, count, aligned, Floats::width);
    update_span<with_average>(span, k, k.grad_scale * clip_scale(gradient_norm, max_norm), arrays);
}

Arrays arrays_of(In grad, Out param, Out m, Out v, Out vmax, Out average) {
    return {grad.as<float>(), param.as<float>(), m.as<float>(), v.as<float>(), vmax.as<float>(), average.as<float>()};
}

bool aligned_arrays(const Arrays& a) {
    return are_aligned<Floats::width>(a.grad, a.param, a.m, a.v, a.vmax, a.average);
}

Grid grid_of(std::int64_t count) { return {static_cast<unsigned>((count + per_block - 1) / per_block), block_threads}; }

const AmsgradCoefficients* coefficients_of(In array) {
    const auto* floats = array.as<float>();
    if (!is_aligned(floats, alignof(AmsgradCoefficients)))
        throw Error("amsgrad", "expected coefficients aligned to {} bytes, got the address {}",
                    alignof(AmsgradCoefficients), fmt::ptr(floats));
    return reinterpret_cast<const AmsgradCoefficients*>(floats);
}

struct Average {
    float decay;
    const AmsgradCoefficients* coefficients;  // where the decay stands if not null

    __device__ float operator()(float average, float param) const {
        return averaged(coefficients ? coefficients->average_decay : decay, average, param);
    }
};

struct SquareTerm {
    static constexpr int sums = 1;
    using Partial = double;  // the square of a float may leave the range of one

    __device__ void add(double (&sum)[sums], float x, float) const {
        sum[0] += static_cast<double>(x) * static_cast<double>(x);
    }
};

struct NormFinish {
    float* norm;

    __device__ void operator()(const double (&total)[1]) const { norm[0] = static_cast<float>(sqrt(total[0])); }
};

}  // namespace

void amsgrad(Stream& stream, const AmsgradStep& step, In grad, Out param, Out m, Out v, Out vmax) {
    if (step.count == 0) return;
    const Arrays arrays = arrays_of(grad, param, m, v, vmax, nullptr);
    launch("amsgrad", stream, grid_of(step.count), amsgrad_kernel, step.count, aligned_arrays(arrays),
           AmsgradCoefficients(step), arrays);
}

void amsgrad(Stream& stream, std::int64_t count, const AmsgradOnDevice& device, In grad, Out param, Out m, Out v,
             Out vmax) {
    if (count == 0) return;
    const Arrays arrays = arrays_of(grad, param, m, v, vmax, device.average);
    const auto kernel = device.average ? amsgrad_on_device_kernel<true> : amsgrad_on_device_kernel<false>;
    launch("amsgrad", stream, grid_of(count), kernel, count, aligned_arrays(arrays),
           coefficients_of(device.coefficients), device.norm.as<float>(), device.max_norm, arrays);
}

void exponential_moving_average(Stream& stream, std::int64_t count, float decay, In param, Out average) {
    map("exponential_moving_average", stream, count, Average{decay, nullptr}, average.as<float>(), param.as<float>(),
        average.as<float>());
}

void exponential_moving_average(Stream& stream, std::int64_t count, In coefficients, In param, Out average) {
    map("exponential_moving_average", stream, count, Average{0, coefficients_of(coefficients)}, average.as<float>(),
        param.as<float>(), average.as<float>());
}

void gradient_norm(Stream& stream, std::int64_t count, In grad, Out norm) {
    const auto* values = grad.as<float>();
    sum_elements("gradient_norm", stream, count, SquareTerm{}, values, values, NormFinish{norm.as<float>()});
}

}  // namespace karyon::kernels::gpu
