// The other half of tensor/cuda.h: a build without CUDA.
#include "tensor/cuda.h"

#if !KARYON_HAS_CUDA

namespace karyon::cuda {
namespace {

[[noreturn]] void none() { throw Error("device", "expected cpu, got cuda: {}", gpus().why_none); }

}  // namespace

const Gpus& gpus() {
    static const Gpus found{{}, "", "", "this karyon was built without CUDA (nvcc 12 or later was not found)"};
    return found;
}

Allocator& allocator(int) { none(); }
Allocator& pinned_allocator() { return Allocator::host(); }
kernels::Stream& stream(int) { none(); }
void synchronize(int) { none(); }
void copy(void*, Device, const void*, Device, std::size_t) { none(); }
void zero(void*, int, std::size_t) { none(); }

struct Graph::State {};
Graph::Graph() = default;
Graph::~Graph() = default;
void Graph::record(int, const std::function<void()>&) { none(); }
bool Graph::recorded() const { return false; }
void Graph::launch() { none(); }

}  // namespace karyon::cuda

#endif
