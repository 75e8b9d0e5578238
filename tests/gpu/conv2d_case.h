#pragma once

#include "kernels/conv/fused_conv2d.h"
#include "tests/gpu/op_case.h"
#include "tests/kernels/conv2d_reference.h"

/// What the tests of dense convolution share.
namespace karyon::test {

using kernels::Conv2dShape;
using kernels::F32Math;
namespace reference = conv2d_reference;

inline std::string text(const Conv2dShape& s) {
    return fmt::format("{}x{}x{} {}->{} k{} s{} pad {} {} {} {}", s.batch, s.height, s.width, s.in_channels,
                       s.out_channels, s.kernel, s.stride, s.pad.top, s.pad.left, s.pad.bottom, s.pad.right);
}

/// The values of a case: small integers, whose sums are exact, or reals in [-1, 1].
struct Numbers {
    DType type = DType::f32;
    bool exact = true;
    F32Math math = F32Math::tf32x3;

    Values values(DType of_type, std::size_t count, std::uint64_t seed) const {
        return exact ? integers(of_type, count, seed) : uniform(of_type, count, seed);
    }
    Values values(std::size_t count, std::uint64_t seed) const { return values(type, count, seed); }
    std::string name() const {
        return fmt::format("{}{}{}", name_of(type), exact ? " exact" : "", math == F32Math::tf32 ? " tf32" : "");
    }

    /// A result that sums `length` products of numbers up to 1. Products of bf16 are exact in f32, those of 3xTF32 are
    /// within 2^-20 and those of TF32 within 2^-10; their errors and those of the sum have random signs.
    Result result(std::size_t count, double length) const { return {type, count, {}, rounding(type), error(length)}; }
    Result sum(std::size_t count, std::uint64_t seed, double length) const {
        return Result::added_to(values(DType::f32, count, seed), rounding(DType::f32), error(length));
    }
    double rounding(DType of_type) const { return exact ? 0 : of_type == DType::bf16 ? 0x1p-8 : 1e-6; }
    double error(double length) const {
        return exact ? 0 : (math == F32Math::tf32 && type == DType::f32 ? 1e-3 : 1e-6) * (1 + std::sqrt(length));
    }
    /// What an exact sum becomes when it is stored.
    Doubles rounded(Doubles values_) const { return exact ? as_type(type, std::move(values_)).at : values_; }
};

inline double taps(const Conv2dShape& s) { return double(s.kernel) * s.kernel; }
inline double pixels(const Conv2dShape& s) { return double(s.batch) * s.out_height() * s.out_width(); }

inline OpCase forward_case(const Conv2dShape& s, const Numbers& numbers, bool with_bias = true) {
    return {.name = fmt::format("conv2d_forward {} {}", numbers.name(), text(s)),
            .inputs = {numbers.values(reference::x_size(s), 1), numbers.values(reference::w_size(s), 2),
                       with_bias ? numbers.values(DType::f32, s.out_channels, 3) : none()},
            .results = {numbers.result(reference::y_size(s), taps(s) * s.in_channels)},
            .run =
                [=](auto& stream, auto in, auto out) {
                    stream.f32_math = numbers.math;
                    kernels::gpu::conv2d_forward(stream, s, in[0], in[1], in[2], out[0]);
                },
            .reference =
                [=](const auto& in) {
                    return std::vector<Doubles>{numbers.rounded(reference::forward(s, in[0], in[1], in[2]))};
                }};
}

inline OpCase backward_data_case(const Conv2dShape& s, const Numbers& numbers) {
    return {.name = fmt::format("conv2d_backward_data {} {}", numbers.name(), text(s)),
            .inputs = {numbers.values(reference::y_size(s), 1), numbers.values(reference::w_size(s), 2)},
            .results = {numbers.result(reference::x_size(s), taps(s) * s.out_channels)},
            .run =
                [=](auto& stream, auto in, auto out) {
                    stream.f32_math = numbers.math;
                    kernels::gpu::conv2d_backward_data(stream, s, in[0], in[1], out[0]);
                },
            .reference =
                [=](const auto& in) {
                    return std::vector<Doubles>{numbers.rounded(reference::backward_data(s, in[0], in[1]))};
                }};
}

inline OpCase backward_weights_case(const Conv2dShape& s, const Numbers& numbers, bool with_bias = true) {
    OpCase op{.name = fmt::format("conv2d_backward_weights {} {}", numbers.name(), text(s)),
              .inputs = {numbers.values(reference::x_size(s), 1), numbers.values(reference::y_size(s), 2)},
              .results = {numbers.sum(reference::w_size(s), 3, pixels(s)), numbers.sum(s.out_channels, 4, pixels(s))},
              .run =
                  [=](auto& stream, auto in, auto out) {
                      stream.f32_math = numbers.math;
                      kernels::gpu::conv2d_backward_weights(stream, s, in[0], in[1], out[0], out[1]);
                  },
              .reference =
                  [=](const auto& in) {
                      return std::vector<Doubles>{
                          reference::backward_weights(s, in[0], in[1], Doubles(reference::w_size(s))),
                          reference::backward_bias(in[1], Doubles(std::size_t(s.out_channels)))};
                  }};
    op.results[1].absent = !with_bias;
    return op;
}

}  // namespace karyon::test
