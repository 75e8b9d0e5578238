#include "kernels/conv/packed_conv2d.h"

#include <omp.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "kernels/bfloat16_rows.h"
#include "kernels/blocks.h"
#include "kernels/conv/conv2d_plan.h"
#include "kernels/conv/finish.h"
#include "kernels/conv/winograd.h"
#include "kernels/float_type.h"
#include "kernels/simd.h"

namespace karyon::kernels::cpu {
namespace {

/// Rows of a piece: its input and output fill a quarter of a megabyte of cache, but for wide layers, where reading the
/// weights for each piece would weigh more.
std::int64_t rows_of_piece(const Conv2dShape& s, std::size_t element) {
    constexpr std::int64_t bytes = 256 * 1024, least = 256, most = 2048;
    return std::clamp(bytes / (std::int64_t(element) * (s.in_channels + s.out_channels)), least, most) / 16 * 16;
}

bool is_pointwise(const Conv2dShape& s) { return s.kernel == 1 && s.stride == 1 && s.pad == Padding{}; }

/// x * gate, `rows` rows of one image.
KARYON_SIMD void scale_rows(std::int64_t rows, int channels, const float* x, const float* gate, float* y) {
    for (std::int64_t row = 0; row < rows; ++row, x += channels, y += channels)
#pragma GCC ivdep
        for (int c = 0; c < channels; ++c) y[c] = x[c] * gate[c];
}

template <typename T>
T* gated_input(std::int64_t count) {
    return reinterpret_cast<T*>(onednn::scratch(std::size_t(count) * sizeof(T), onednn::Use::input).data());
}

/// Runs oneDNN on one thread inside a parallel region, and for making what it runs there.
class OneThread {
  public:
    OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
    ~OneThread() { omp_set_num_threads(before_); }
    OneThread(const OneThread&) = delete;
    OneThread& operator=(const OneThread&) = delete;

  private:
    int before_;
};

}  // namespace

/// Weights as one layout of oneDNN, and the plans that share it.
struct PackedConv2d::Packing {
    std::shared_ptr<const Conv2dPlan> plan;
    std::shared_ptr<std::byte> memory;  ///< null: the weights as they are

    dnnl::memory weights(const std::byte* given) const {
        return memory ? onednn::bind(plan->convolution.weights, memory.get()) : onednn::bind(plan->weights, given);
    }
};

struct PackedConv2d::Run {
    const Conv2dShape& shape;
    const float* gate;
    Activation activation;
};

PackedConv2d::PackedConv2d(int in_channels, int out_channels, int kernel, In w, In scale, In bias, DType type)
    : type_(type), bias_(std::size_t(out_channels)) {
    const std::size_t per_output = std::size_t(kernel) * std::size_t(kernel) * std::size_t(in_channels);
    const float *values = w.as<float>(), *scales = scale.as<float>(), *biases = bias.as<float>();
    for (std::size_t o = 0; o < bias_.size(); ++o) bias_[o] = biases ? biases[o] : 0;
    with_float_type("conv2d", type, [&]<typename T>() {
        weights_.resize(bias_.size() * per_output * sizeof(T));
        T* to = reinterpret_cast<T*>(weights_.data());
        for (std::size_t o = 0; o < bias_.size(); ++o)
            for (std::size_t i = 0; i < per_output; ++i)
                to[o * per_output + i] = T(values[o * per_output + i] * (scales ? scales[o] : 1));
    });
}

PackedConv2d::~PackedConv2d() = default;

const PackedConv2d::Packing& PackedConv2d::packing_for(const Conv2dShape& shape, bool with_relu) const {
    auto plan = plan_for({.shape = shape, .type = type_, .with_bias = true, .with_relu = with_relu});
    for (const auto& packing : packings_)
        if (packing->plan == plan) return *packing;

    auto packing = std::make_unique<Packing>();
    packing->plan = plan;
    if (plan->convolution.weights != plan->weights) {
        for (const auto& other : packings_)
            if (other->memory && other->plan->convolution.weights == plan->convolution.weights)
                packing->memory = other->memory;
        if (!packing->memory) {
            const auto scratch = plan->scratch();
            plan->pack(weights_.data(), scratch);
            packing->memory.reset(static_cast<std::byte*>(std::aligned_alloc(64, plan->packed_bytes())), &std::free);
            if (!packing->memory) throw std::bad_alloc();
            std::memcpy(packing->memory.get(), scratch.data(), plan->packed_bytes());
        }
    }
    packings_.push_back(std::move(packing));
    return *packings_.back();
}

const float* PackedConv2d::transformed_for(const Conv2dShape& s) const {
    if (!transformed_) {
        const std::size_t bytes = winograd_weight_count(s.in_channels, s.out_channels) * sizeof(float);
        transformed_.reset(static_cast<float*>(std::aligned_alloc(64, bytes)), &std::free);
        if (!transformed_) throw std::bad_alloc();
        with_float_type("conv2d", type_, [&]<typename T>() {
            winograd_transform_weights(s, reinterpret_cast<const T*>(weights_.data()), false, transformed_.get());
        });
    }
    return transformed_.get();
}

template <typename T>
void PackedConv2d::forward_whole(const Run& run, const T* x, const T* residual, T* y) const {
    const Conv2dShape& s = run.shape;
    const std::int64_t pixels = std::int64_t(s.height) * s.width, in = s.in_channels;
    if (run.gate) {
        T* const gated = gated_input<T>(s.batch * pixels * in);
        const std::int64_t rows_of_item = block_count(block_elements, in);
        const std::int64_t items = block_count(pixels, rows_of_item);
        for_each_item(s.batch * items, [&](std::int64_t item) {
            const std::int64_t image = item / items, row = item % items * rows_of_item;
            const std::int64_t offset = (image * pixels + row) * in;
            scale_rows(std::min(rows_of_item, pixels - row), s.in_channels, x + offset, run.gate + image * in,
                       gated + offset);
        });
        x = gated;
    }
    Activation rest = run.activation;
    if (winograd_serves_forward(s, type_)) {
        winograd_forward(s, x, transformed_for(s), bias_.data(), std::exchange(rest, Activation::none), y);
    } else {
        const bool relu_inside = rest == Activation::relu;
        if (relu_inside) rest = Activation::none;
        const Packing& packing = packing_for(s, relu_inside);
        packing.plan->forward(x, packing.weights(weights_.data()), bias_.data(), y,
                              onednn::scratch(packing.plan->convolution.scratchpad_bytes));
    }
    if (rest == Activation::none && !residual) return;
    for_each_block(std::int64_t(s.batch) * s.out_height() * s.out_width() * s.out_channels, block_elements,
                   [&](std::int64_t, std::int64_t begin, std::int64_t size) {
                       finish(rest, size, residual ? residual + begin : nullptr, y + begin);
                   });
}

template <typename T>
void PackedConv2d::forward_in_pieces(const Run& run, const T* x, const T* residual, T* y) const {
    const Conv2dShape& s = run.shape;
    const std::int64_t pixels = std::int64_t(s.height) * s.width, rows = s.batch * pixels;
    const std::int64_t in = s.in_channels, out = s.out_channels, piece = rows_of_piece(s, sizeof(T));
    const auto packing_of = [&](std::int64_t count) -> const Packing* {
        const OneThread one_thread;
        return count ? &packing_for({1, 1, int(count), s.in_channels, s.out_channels, 1, 1, {}}, false) : nullptr;
    };
    const Packing *whole = packing_of(piece), *last = packing_of(rows % piece);
    for_each_block(rows, piece, [&](std::int64_t, std::int64_t begin, std::int64_t count) {
        const T* from = x + begin * in;
        if (run.gate) {
            T* const gated = gated_input<T>(piece * in);
            for (std::int64_t row = begin; row < begin + count;) {
                const std::int64_t image = row / pixels, end = std::min((image + 1) * pixels, begin + count);
                scale_rows(end - row, s.in_channels, x + row * in, run.gate + image * in, gated + (row - begin) * in);
                row = end;
            }
            from = gated;
        }
        const Packing& packing = count == piece ? *whole : *last;
        T* to = y + begin * out;
        packing.plan->forward(from, packing.weights(weights_.data()), bias_.data(), to,
                              onednn::scratch(packing.plan->convolution.scratchpad_bytes));
        finish(run.activation, count * out, residual ? residual + begin * out : nullptr, to);
    });
}

void PackedConv2d::forward(const Conv2dShape& s, In x, In gate, Activation f, In residual, Out y) const {
    if (gate && !is_pointwise(s)) throw Error("conv2d", "expected a gate before a pointwise convolution only");
    constexpr std::int64_t least_pieces = 4;
    with_float_type("conv2d", type_, [&]<typename T>() {
        const std::int64_t rows = std::int64_t(s.batch) * s.height * s.width;
        const bool has_more = gate || residual || f != Activation::none;
        const Run run{s, gate.as<float>(), f};
        if (is_pointwise(s) && has_more && rows >= least_pieces * rows_of_piece(s, sizeof(T)))
            forward_in_pieces(run, x.as<T>(), residual.as<T>(), y.as<T>());
        else
            forward_whole(run, x.as<T>(), residual.as<T>(), y.as<T>());
    });
}

}  // namespace karyon::kernels::cpu
