#pragma once

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <string>

#include "tensor/autograd.h"
#include "tensor/safetensors.h"
#include "tensor/tensor.h"

/// Comparison with the values of tests/reference: PyTorch's in float64, from inputs that float32 holds exactly.
namespace karyon::test {

/// One file of tests/reference/data.
class Reference {
  public:
    explicit Reference(const std::string& name)
        : file_(SafetensorsFile::open(KARYON_SOURCE_DIR "/tests/reference/data/" + name + ".safetensors")) {}

    bool contains(const std::string& name) const { return file_.contains(name); }
    const std::vector<SafetensorsEntry>& entries() const { return file_.entries(); }

    Tensor tensor(const std::string& name) const {
        const auto& entry = file_.entry(name);
        const Tensor copy = Tensor::empty(entry.shape, entry.dtype);
        const auto bytes = file_.bytes(entry);
        if (!bytes.empty()) std::memcpy(copy.raw(), bytes.data(), bytes.size());
        return copy;
    }
    /// A hyperparameter that the script has put beside the values.
    float option(const std::string& name) const { return tensor("option." + name).item(); }

  private:
    SafetensorsFile file_;
};

/// Empty when every |got - expected| <= tolerance * max |expected|; else what differs most.
///
/// The measure is the tensor's largest magnitude, not each element: an element is a sum of terms of that order, whose
/// rounding does not shrink where they cancel.
inline std::string difference(const Tensor& got, const Tensor& expected, double tolerance) {
    if (!got.defined()) return "expected a tensor, got none";
    if (got.shape() != expected.shape())
        return fmt::format("expected shape {}, got {}", to_string(expected.shape()), to_string(got.shape()));
    const auto values = got.span<float>(), wanted = expected.span<float>();
    double most = 0, worst = 0;
    std::size_t at = 0;
    for (const float value : wanted) most = std::max(most, std::abs(double(value)));
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const double error = std::abs(double(values[i]) - double(wanted[i]));
        if (std::isnan(error)) return fmt::format("expected {} at [{}], got {}", wanted[i], i, values[i]);
        if (error > worst) worst = error, at = i;
    }
    if (worst <= tolerance * most) return {};
    return fmt::format("expected {:.9g} at [{}], got {:.9g}: {:.3g} of the largest value, allowed is {:.3g}",
                       wanted[at], at, values[at], worst / most, tolerance);
}

inline void check_reference(const std::string& what, const Tensor& got, const Tensor& expected, double tolerance) {
    const std::string text = difference(got, expected, tolerance);
    CHECK_MESSAGE(text.empty(), what, ": ", text);
}

/// sum(y * weight) -> [1]: what makes `weight` the gradient of y.
inline Tensor dot(const Tensor& y, const Tensor& weight) {
    double sum = 0;
    for (std::int64_t i = 0; i < y.size(); ++i) sum += double(y.data<float>()[i]) * double(weight.data<float>()[i]);
    return record("dot", Tensor::full({1}, float(sum)), {y},
                  [weight](const Tensor&, const Gradients& gradients) { gradients.deliver(0, weight.clone()); });
}

}  // namespace karyon::test
