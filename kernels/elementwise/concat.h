#pragma once

#include <span>

#include "kernels/types.h"

namespace karyon::kernels {

/// One of the tensors that are laid side by side along the channels: [rows, channels].
struct ConcatInput {
    In data;
    int channels = 0;
};
struct ConcatOutput {
    Out data;  ///< null: this part is not wanted
    int channels = 0;
};

/// Of joining `count` = rows * (all channels) elements.
Cost concat_cost(std::int64_t count, DType);

namespace cpu {

/// y [rows, sum of channels]: the inputs' channels one after the other; rows = batch * height * width.
void concat_forward(Stream&, std::int64_t rows, std::span<const ConcatInput> inputs, Out y);
/// Each part = its channels of dy.
void concat_backward(Stream&, std::int64_t rows, In dy, std::span<const ConcatOutput> parts);

}  // namespace cpu

namespace gpu {

/// As their cpu counterparts; f32 and bf16, at most 8 tensors. 16, 4 or 2 bytes move at a time, as the channels allow.
void concat_forward(Stream&, std::int64_t rows, std::span<const ConcatInput> inputs, Out y);
void concat_backward(Stream&, std::int64_t rows, In dy, std::span<const ConcatOutput> parts);

}  // namespace gpu
}  // namespace karyon::kernels
