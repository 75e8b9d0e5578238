#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "tensor/tensor.h"

namespace karyon {

/// What the tape knows of one tensor: its gradient so far and the op that made it. It does not hold the elements:
/// an activation that no op saved is freed as soon as the last handle to it goes.
struct GradState;

/// No op records itself while one of these is alive in the thread: inference.
class NoGrad {
  public:
    NoGrad();
    ~NoGrad();
    NoGrad(const NoGrad&) = delete;
    NoGrad& operator=(const NoGrad&) = delete;

  private:
    bool before_;
};
bool recording();

/// A tensor that a backward function needs again. Where the tensor knows how to recompute itself (elementwise
/// functions of what is kept anyway), the recipe is kept instead of the elements.
class Saved {
  public:
    Saved() = default;
    explicit Saved(const Tensor&);
    Tensor get() const;
    const Shape& shape() const { return tensor_.shape(); }

  private:
    Tensor tensor_;  ///< where it is recomputed: the same tensor without its elements
    std::shared_ptr<Recompute> recompute_;
};

/// The gradients of an op's inputs, by position, as its backward function delivers them.
class Gradients {
  public:
    Gradients(const std::vector<std::shared_ptr<GradState>>& inputs, Device device)
        : inputs_(inputs), device_(device) {}

    bool wanted(std::size_t input) const { return inputs_.at(input) != nullptr; }
    /// Activation gradients: becomes the input's gradient, or is added to what other consumers delivered.
    void deliver(std::size_t input, Tensor gradient) const;
    /// Parameter gradients: the buffer for the kernel to add to (+=); a scratch one of `shape` where none is wanted.
    Tensor accumulator(std::size_t input, const Shape& shape) const;

  private:
    const std::vector<std::shared_ptr<GradState>>& inputs_;
    Device device_;
};

using BackwardFunction = std::function<void(const Tensor& output_gradient, const Gradients&)>;

/// Puts an op on the tape: `output` was computed from `inputs`, and `backward` turns its gradient into theirs.
/// Returns the output, on the tape where an input is and recording is on. Undefined inputs are allowed.
/// The closure must hold what it needs as Saved, never as Tensor.
Tensor record(std::string_view op, Tensor output, const std::vector<Tensor>& inputs, BackwardFunction backward);

/// True where record() would put an op of these inputs on the tape: what an op saves for the way back can be skipped
/// else.
bool will_record(const std::vector<Tensor>& inputs);

/// Marks a tensor as computable again from saved ones: ops that save it keep `make` and not the elements.
Tensor recomputable(Tensor, std::function<Tensor()> make);

/// Walks the tape from a one-element tensor in reverse order of recording. Leaves get their gradients added to; every
/// op forgets what it saved as soon as it has run, so a graph can be walked once.
void backward(const Tensor& loss);

}  // namespace karyon
