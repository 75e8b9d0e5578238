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

}  // namespace karyon::test
