#pragma once

#include <functional>
#include <string>

#include "tensor/random.h"
#include "tensor/tensor.h"

namespace karyon {

class FoldedWeights;

/// A parameter is trained; a buffer (running statistics) is state that a forward pass updates.
enum class StateKind : unsigned char { parameter, buffer };

/// Called for every tensor that a layer holds, with its name from the root ("encoder.blocks.3.expand.weight").
/// Every layer and model has `void visit(const std::string& prefix, const StateVisitor&)`; checkpoints, the parameter
/// arena, counts and summaries are all made of it.
using StateVisitor = std::function<void(const std::string& name, Tensor&, StateKind)>;

inline std::string join(const std::string& prefix, const std::string& name) {
    return prefix.empty() ? name : prefix + "." + name;
}

/// What a forward pass needs to know beside its input.
struct Pass {
    bool training = false;
    Random* random = nullptr;  ///< for drop-connect; null: nothing is dropped
    /// i32 [2] on the GPU: a 64-bit number, low half first, that is added to the stream of `random` by the kernels that
    /// draw, so that a recorded step draws new numbers at each launch; undefined: 0.
    Tensor stream_offset{};
    FoldedWeights* folded = nullptr;  ///< of an inference that is run again and again; null: batch norm by itself
};

/// While one of these exists on a thread, layers are made with undefined weights: for a network that is loaded next.
class UndefinedWeights {
  public:
    UndefinedWeights();
    ~UndefinedWeights();
    UndefinedWeights(const UndefinedWeights&) = delete;
    UndefinedWeights& operator=(const UndefinedWeights&) = delete;
};

/// He-normal by the fan out (EfficientNet's own), He-uniform by the fan in (both public decoders), and zeros.
Tensor he_normal_fan_out(Shape, std::int64_t fan_out, Random&);
Tensor he_uniform_fan_in(Shape, std::int64_t fan_in, Random&);
Tensor xavier_uniform(Shape, std::int64_t fan_in, std::int64_t fan_out, Random&);

}  // namespace karyon
