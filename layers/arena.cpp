#include "layers/arena.h"

#include <algorithm>
#include <cmath>

namespace karyon {
namespace {

constexpr std::int64_t kElementsPerLine = 16;

std::int64_t next_line(std::int64_t element) {
    return (element + kElementsPerLine - 1) / kElementsPerLine * kElementsPerLine;
}

}  // namespace

Arena::Arena(const std::function<void(const StateVisitor&)>& visit, Device device) {
    std::int64_t parameters = 0, buffers = 0;
    visit([&](const std::string& name, Tensor& tensor, StateKind kind) {
        std::int64_t& end = kind == StateKind::parameter ? parameters : buffers;
        entries_.push_back({name, kind, end, tensor.shape()});
        end = next_line(end + tensor.size());
    });
    values_ = Tensor::zeros({parameters}, DType::f32, device);
    gradients_ = Tensor::zeros({parameters}, DType::f32, device);
    buffers_ = Tensor::zeros({buffers}, DType::f32, device);
    std::size_t index = 0;
    visit([&](const std::string&, Tensor& tensor, StateKind kind) {
        const Entry& entry = entries_[index++];
        Tensor home = part(kind == StateKind::parameter ? values_ : buffers_, entry);
        home.copy_from(tensor);
        tensor = home;
        if (kind == StateKind::parameter) tensor.require_gradient(part(gradients_, entry));
    });
}

std::string Arena::first_non_finite(const Tensor& parameters, const Tensor& buffers) const {
    for (const Entry& entry : entries_) {
        const Tensor& flat = entry.kind == StateKind::parameter ? parameters : buffers;
        if (!flat.defined()) continue;
        const Tensor tensor = part(flat, entry).to(Device{});
        const auto values = tensor.span<float>();
        if (!std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); }))
            return entry.name;
    }
    return {};
}

std::int64_t parameter_count(const std::function<void(const StateVisitor&)>& visit) {
    std::int64_t count = 0;
    visit([&](const std::string&, Tensor& tensor, StateKind kind) {
        if (kind == StateKind::parameter) count += tensor.size();
    });
    return count;
}

}  // namespace karyon
