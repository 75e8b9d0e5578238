#pragma once

#include <string>
#include <vector>

#include "layers/module.h"

namespace karyon {

/// The parameters of a model in one flat tensor, their gradients in a second and its buffers in a third, so that the
/// optimiser, the gradient norm, zeroing, averaging and checkpoints are single passes. The tensors of the model become
/// views, wherever they were made. Every view starts on 64 bytes; the gap before it holds zeros, and stays so under the
/// optimiser.
class Arena {
  public:
    struct Entry {
        std::string name;
        StateKind kind;
        std::int64_t first;  ///< element in `values` or `buffers`
        Shape shape;
    };

    /// `visit` is a model's visit function: `arena([&](const StateVisitor& v) { model.visit("", v); })`.
    explicit Arena(const std::function<void(const StateVisitor&)>& visit, Device = {});

    const Tensor& values() const { return values_; }
    const Tensor& gradients() const { return gradients_; }
    const Tensor& buffers() const { return buffers_; }
    const std::vector<Entry>& entries() const { return entries_; }

    /// The part of `flat` (values, gradients, buffers, or anything of their layout) that is the entry's.
    Tensor part(const Tensor& flat, const Entry& entry) const { return flat.view(entry.first, entry.shape); }
    /// The first entry, in the order of the forward pass, with a value that is not finite: parameters in `parameters`
    /// (values or gradients), running statistics in `buffers` (undefined: not looked at). Empty: none.
    std::string first_non_finite(const Tensor& parameters, const Tensor& buffers) const;

  private:
    Tensor values_, gradients_, buffers_;
    std::vector<Entry> entries_;
};

/// The number of trained parameters.
std::int64_t parameter_count(const std::function<void(const StateVisitor&)>& visit);

}  // namespace karyon
