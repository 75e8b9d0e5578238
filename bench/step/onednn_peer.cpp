#include "bench/step/onednn_peer.h"

#include "bench/step/op_case.h"

namespace karyon::bench {

namespace onednn = kernels::cpu::onednn;
using dnnl::memory;
using onednn::Direction;

std::function<void()> onednn_convolution(Direction direction, const kernels::Conv2dShape& s, DType type,
                                         const Tensor& src, const Tensor& dst) {
    const auto given = type == DType::f32 ? memory::data_type::f32 : memory::data_type::bf16;
    const bool to_weights = direction == Direction::backward_weights;
    const memory::dims weights = {s.out_channels, s.in_channels, s.kernel, s.kernel};
    using tag = memory::format_tag;
    onednn::ConvolutionMemory m;
    m.src = {{s.batch, s.in_channels, s.height, s.width}, given, tag::nhwc};
    m.weights = {weights, to_weights ? memory::data_type::f32 : given, tag::any};
    m.forward_weights = {weights, given, tag::any};
    m.dst = {{s.batch, s.out_channels, s.out_height(), s.out_width()}, given, tag::nhwc};
    m.strides = {s.stride, s.stride};
    m.pad_before = {s.pad.top, s.pad.left};
    m.pad_after = {s.pad.bottom, s.pad.right};
    const onednn::Convolution convolution = onednn::make_convolution(direction, m);

    const DType weight_type = to_weights ? DType::f32 : type;
    const auto elements = std::int64_t(convolution.weights.get_size() / size_of(weight_type));
    const Tensor w = to_weights ? zeroed({elements}, weight_type) : filled({elements}, weight_type);
    const Tensor scratchpad = zeroed({std::int64_t(convolution.scratchpad_bytes)}, DType::u8);
    const bool to_data = direction == Direction::backward_data;
    const int src_index = to_data ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC;
    const int dst_index = direction == Direction::forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST;
    const int weights_index = to_weights ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS;
    return [=] {
        onednn::execute(convolution.primitive,
                        {{src_index, onednn::bind(m.src, src.raw())},
                         {dst_index, onednn::bind(m.dst, dst.raw())},
                         {weights_index, onednn::bind(convolution.weights, w.raw())}},
                        {static_cast<std::byte*>(scratchpad.raw()), convolution.scratchpad_bytes});
    };
}

}  // namespace karyon::bench
