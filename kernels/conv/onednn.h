#pragma once

#include <cstddef>
#include <oneapi/dnnl/dnnl.hpp>
#include <span>
#include <unordered_map>

/// The one place that knows oneDNN. Compiles with oneDNN 2 (operation descriptors) and 3 (none).
namespace karyon::kernels::cpu::onednn {

enum class Direction { forward, backward_data, backward_weights };

/// The memory that a convolution reads and writes. `weights` may leave its layout open (format_tag::any).
struct ConvolutionMemory {
    dnnl::memory::desc src, weights, bias, dst;  ///< bias: zero for none
    dnnl::memory::desc forward_weights;          ///< where `weights` is their gradient, which is f32 whatever they are
    dnnl::memory::dims strides, pad_before, pad_after;
    bool with_relu = false;  ///< dst = max(0, convolution + bias), of the forward direction
};

/// A primitive with the weight layout it chose and the scratch memory it asks for at each execution.
struct Convolution {
    dnnl::primitive primitive;
    dnnl::memory::desc weights;
    std::size_t scratchpad_bytes = 0;
    const char* implementation = "";
};

Convolution make_convolution(Direction, const ConvolutionMemory&);

/// dst = src in another layout; dst += src when `add`.
struct Reorder {
    dnnl::primitive primitive;
    std::size_t scratchpad_bytes = 0;
};

Reorder make_reorder(const dnnl::memory::desc& src, const dnnl::memory::desc& dst, bool add);

/// Binds a pointer. oneDNN takes no const pointers; what is bound as a source is not written.
dnnl::memory bind(const dnnl::memory::desc&, const void*);

/// Runs to the end, with `scratchpad` as working memory.
void execute(const dnnl::primitive&, std::unordered_map<int, dnnl::memory> arguments, std::span<std::byte> scratchpad);

/// Working memory of the calling thread, on a 64-byte boundary. Grows to the largest request and is reused by every
/// call for the same `use`: what oneDNN asks for and packed weights; a piece of the input as one thread prepares it;
/// what all threads read of the one that called.
enum class Use { onednn, input, shared };
std::span<std::byte> scratch(std::size_t bytes, Use = Use::onednn);

}  // namespace karyon::kernels::cpu::onednn
