#include "kernels/conv/onednn.h"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace karyon::kernels::cpu::onednn {
namespace {

using dnnl::algorithm;
using dnnl::memory;
using dnnl::prop_kind;

const dnnl::engine& engine() {
    static const dnnl::engine instance(dnnl::engine::kind::cpu, 0);
    return instance;
}

dnnl::primitive_attr scratchpad_from_caller() {
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return attributes;
}

dnnl::primitive_attr forward_attributes(const ConvolutionMemory& m) {
    dnnl::primitive_attr attributes = scratchpad_from_caller();
    if (!m.with_relu) return attributes;
    dnnl::post_ops relu;
#if DNNL_VERSION_MAJOR >= 3
    relu.append_eltwise(algorithm::eltwise_relu, 0, 0);
#else
    relu.append_eltwise(1, algorithm::eltwise_relu, 0, 0);
#endif
    attributes.set_post_ops(relu);
    return attributes;
}

/// The forward convolution that belongs to a weight gradient.
ConvolutionMemory of_forward(ConvolutionMemory m) {
    m.weights = m.forward_weights;
    return m;
}

#if DNNL_VERSION_MAJOR >= 3

auto forward_desc(const ConvolutionMemory& m) {
    return dnnl::convolution_forward::primitive_desc(engine(), prop_kind::forward_training,
                                                     algorithm::convolution_direct, m.src, m.weights, m.bias, m.dst,
                                                     m.strides, m.pad_before, m.pad_after, forward_attributes(m));
}
auto backward_data_desc(const ConvolutionMemory& m) {
    return dnnl::convolution_backward_data::primitive_desc(engine(), algorithm::convolution_direct, m.src, m.weights,
                                                           m.dst, m.strides, m.pad_before, m.pad_after, forward_desc(m),
                                                           scratchpad_from_caller());
}
auto backward_weights_desc(const ConvolutionMemory& m) {
    return dnnl::convolution_backward_weights::primitive_desc(engine(), algorithm::convolution_direct, m.src, m.weights,
                                                              m.dst, m.strides, m.pad_before, m.pad_after,
                                                              forward_desc(of_forward(m)), scratchpad_from_caller());
}

#else

auto forward_desc(const ConvolutionMemory& m) {
    const dnnl::convolution_forward::desc operation(prop_kind::forward_training, algorithm::convolution_direct, m.src,
                                                    m.weights, m.bias, m.dst, m.strides, m.pad_before, m.pad_after);
    return dnnl::convolution_forward::primitive_desc(operation, forward_attributes(m), engine());
}
auto backward_data_desc(const ConvolutionMemory& m) {
    const dnnl::convolution_backward_data::desc operation(algorithm::convolution_direct, m.src, m.weights, m.dst,
                                                          m.strides, m.pad_before, m.pad_after);
    return dnnl::convolution_backward_data::primitive_desc(operation, scratchpad_from_caller(), engine(),
                                                           forward_desc(m));
}
auto backward_weights_desc(const ConvolutionMemory& m) {
    const dnnl::convolution_backward_weights::desc operation(algorithm::convolution_direct, m.src, m.weights, m.dst,
                                                             m.strides, m.pad_before, m.pad_after);
    return dnnl::convolution_backward_weights::primitive_desc(operation, scratchpad_from_caller(), engine(),
                                                              forward_desc(of_forward(m)));
}

#endif

template <typename Primitive, typename Desc>
Convolution convolution(const Desc& desc, const memory::desc& weights) {
    return {Primitive(desc), weights, desc.scratchpad_desc().get_size(), desc.impl_info_str()};
}

}  // namespace

Convolution make_convolution(Direction direction, const ConvolutionMemory& m) {
    if (direction == Direction::forward) {
        const auto desc = forward_desc(m);
        return convolution<dnnl::convolution_forward>(desc, desc.weights_desc());
    }
    if (direction == Direction::backward_data) {
        const auto desc = backward_data_desc(m);
        return convolution<dnnl::convolution_backward_data>(desc, desc.weights_desc());
    }
    const auto desc = backward_weights_desc(m);
    return convolution<dnnl::convolution_backward_weights>(desc, desc.diff_weights_desc());
}

Reorder make_reorder(const memory::desc& src, const memory::desc& dst, bool add) {
    dnnl::primitive_attr attributes = scratchpad_from_caller();
    if (add) {
        dnnl::post_ops sum;
        sum.append_sum(1.0f);
        attributes.set_post_ops(sum);
    }
    const dnnl::reorder::primitive_desc desc(engine(), src, engine(), dst, attributes);
    return {dnnl::reorder(desc), desc.scratchpad_desc().get_size()};
}

memory bind(const memory::desc& desc, const void* data) { return memory(desc, engine(), const_cast<void*>(data)); }

void execute(const dnnl::primitive& primitive, std::unordered_map<int, memory> arguments,
             std::span<std::byte> scratchpad) {
    thread_local dnnl::stream stream(engine());
    const memory::desc bytes({static_cast<memory::dim>(scratchpad.size())}, memory::data_type::u8,
                             memory::format_tag::a);
    if (!scratchpad.empty()) arguments.emplace(DNNL_ARG_SCRATCHPAD, bind(bytes, scratchpad.data()));
    primitive.execute(stream, arguments);
    stream.wait();
}

std::span<std::byte> scratch(std::size_t bytes, Use use) {
    struct Buffer {
        std::unique_ptr<std::byte, decltype(&std::free)> data{nullptr, &std::free};
        std::size_t size = 0;
    };
    thread_local Buffer buffers[3];
    Buffer& buffer = buffers[static_cast<int>(use)];
    if (bytes > buffer.size) {
        buffer = {};
        const std::size_t rounded = (bytes + 63) / 64 * 64;
        buffer.data.reset(static_cast<std::byte*>(std::aligned_alloc(64, rounded)));
        if (!buffer.data) throw std::bad_alloc();
        buffer.size = rounded;
    }
    return {buffer.data.get(), bytes};
}

}  // namespace karyon::kernels::cpu::onednn
