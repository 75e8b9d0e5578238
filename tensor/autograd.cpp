#include "tensor/autograd.h"

#include <algorithm>
#include <unordered_set>

#include "kernels/elementwise/add.h"
#include "tensor/stream.h"

namespace karyon {

struct Node {
    std::int64_t order = 0;  ///< of recording: an op comes after everything that it reads
    std::string_view op;
    std::vector<std::shared_ptr<GradState>> inputs;
    BackwardFunction backward;
};

struct GradState {
    Shape shape;
    Device device;
    Tensor gradient;
    bool shared = false;         ///< the gradient's elements belong to somebody else: add to a copy
    bool leaf = false;           ///< a leaf keeps its buffer and is added to
    std::shared_ptr<Node> node;  ///< null for leaves
};

struct Recompute {
    std::function<Tensor()> make;
    std::weak_ptr<Storage> latest;  ///< what another op of the same backward pass may still hold
};

namespace {

thread_local bool recording_enabled = true;
thread_local std::int64_t recorded_ops = 0;

}  // namespace

NoGrad::NoGrad() : before_(recording_enabled) { recording_enabled = false; }
NoGrad::~NoGrad() { recording_enabled = before_; }
bool recording() { return recording_enabled; }

std::shared_ptr<GradState> grad_state(const Tensor& tensor) { return tensor.grad_; }

Tensor record_output(Tensor tensor, std::shared_ptr<GradState> state) {
    tensor.grad_ = std::move(state);
    return tensor;
}

Tensor with_recompute(Tensor tensor, std::shared_ptr<Recompute> recompute) {
    tensor.recompute_ = std::move(recompute);
    return tensor;
}

void Tensor::require_gradient() { require_gradient(Tensor()); }

void Tensor::require_gradient(Tensor gradient) {
    if (gradient.defined() && gradient.shape() != shape_)
        throw Error("autograd", "expected a gradient of {}, got {}", to_string(shape_), to_string(gradient.shape()));
    grad_ = std::make_shared<GradState>();
    grad_->shape = shape_;
    grad_->device = device_;
    grad_->leaf = true;
    grad_->gradient = std::move(gradient);
}

Tensor Tensor::gradient() const { return grad_ ? grad_->gradient : Tensor(); }

Saved::Saved(const Tensor& tensor) : tensor_(tensor.detach()), recompute_(tensor.recompute_) {
    if (recompute_) tensor_.storage_ = nullptr;
}

Tensor Saved::get() const {
    if (!recompute_) return tensor_;
    if (const auto storage = recompute_->latest.lock()) {
        Tensor tensor = tensor_;
        tensor.storage_ = storage;
        return tensor;
    }
    Tensor tensor = recompute_->make();
    recompute_->latest = tensor.storage_;
    return tensor;
}

void Gradients::deliver(std::size_t input, Tensor gradient) const {
    GradState& state = *inputs_.at(input);
    if (gradient.shape() != state.shape)
        throw Error("autograd", "expected a gradient of {}, got {}", to_string(state.shape),
                    to_string(gradient.shape()));
    if (!state.gradient.defined()) {
        // Two tensors may be handed the same gradient (the two sides of a sum): only a sole owner may write to it.
        state.shared = gradient.storage_.use_count() > 1;
        state.gradient = std::move(gradient);
        return;
    }
    Tensor sum = state.shared ? gradient.empty_like() : state.gradient;
    KARYON_RUN(sum.device(), add, sum.size(), state.gradient, gradient, sum);
    state.gradient = std::move(sum);
    state.shared = false;
}

Tensor Gradients::accumulator(std::size_t input, const Shape& shape) const {
    if (!wanted(input)) return Tensor::zeros(shape, DType::f32, device_);
    GradState& state = *inputs_.at(input);
    if (!state.gradient.defined()) state.gradient = Tensor::zeros(state.shape, DType::f32, state.device);
    return state.gradient;
}

bool will_record(const std::vector<Tensor>& inputs) {
    return recording_enabled &&
           std::any_of(inputs.begin(), inputs.end(), [](const Tensor& input) { return input.requires_gradient(); });
}

Tensor record(std::string_view op, Tensor output, const std::vector<Tensor>& inputs, BackwardFunction backward) {
    if (!will_record(inputs)) return output;
    auto node = std::make_shared<Node>();
    node->order = ++recorded_ops;
    node->op = op;
    for (const Tensor& input : inputs) node->inputs.push_back(grad_state(input));
    node->backward = std::move(backward);
    auto state = std::make_shared<GradState>();
    state->shape = output.shape();
    state->device = output.device();
    state->node = std::move(node);
    return record_output(std::move(output), std::move(state));
}

Tensor recomputable(Tensor tensor, std::function<Tensor()> make) {
    if (!tensor.requires_gradient()) return tensor;
    auto recompute = std::make_shared<Recompute>();
    recompute->make = std::move(make);
    return with_recompute(std::move(tensor), std::move(recompute));
}

void backward(const Tensor& loss) {
    if (loss.size() != 1) throw Error("backward", "expected a loss of one element, got {}", to_string(loss.shape()));
    const auto root = grad_state(loss);
    if (!root) throw Error("backward", "expected a loss that depends on a tensor with a gradient");
    if (!root->node) throw Error("backward", "expected a recorded loss whose graph was not walked before");

    std::vector<std::shared_ptr<GradState>> reached, pending{root};
    std::unordered_set<const GradState*> seen{root.get()};
    while (!pending.empty()) {
        const auto state = std::move(pending.back());
        pending.pop_back();
        if (!state->node) continue;
        for (const auto& input : state->node->inputs)
            if (input && seen.insert(input.get()).second) pending.push_back(input);
        reached.push_back(state);
    }
    std::sort(reached.begin(), reached.end(),
              [](const auto& a, const auto& b) { return a->node->order > b->node->order; });

    const NoGrad no_grad;
    root->gradient = Tensor::full(loss.shape(), 1, loss.device());
    for (auto& state : reached) {
        const auto node = std::exchange(state->node, nullptr);
        const Tensor gradient = std::exchange(state->gradient, Tensor());
        state.reset();
        if (gradient.defined()) node->backward(gradient, Gradients(node->inputs, gradient.device()));
        node->backward = nullptr;
    }
}

}  // namespace karyon
