#pragma once

#include <string>

#include "models/import/encoder_tensors.h"

namespace karyon {

/// A way to name and lay out the tensors of an EfficientNet. `qubvel` (and Callidior) and `keras` differ in the name of
/// the classifier alone; `karyon` is what `karyon convert` writes.
enum class Dialect : unsigned char { karyon, timm, lukemelas, torchvision, qubvel, keras };
inline constexpr Dialect kDialects[] = {Dialect::karyon,      Dialect::timm,   Dialect::lukemelas,
                                        Dialect::torchvision, Dialect::qubvel, Dialect::keras};

std::string name_of(Dialect);

/// The published name: "blocks.1.0.conv_dw.weight", "block2a_dwconv/depthwise_kernel", ...
std::string published_name(Dialect, const EncoderTensor&);
/// The published shape: [out,in,k,k] and [c,1,k,k] in PyTorch, [k,k,in,out] and [k,k,c,1] in Keras.
Shape published_shape(Dialect, const EncoderTensor&);
/// Elements as published -> as EncoderTensor::shape.
void to_karyon_layout(Dialect, const EncoderTensor&, std::span<const float> from, std::span<float> to);
/// The way back.
void to_published_layout(Dialect, const EncoderTensor&, std::span<const float> from, std::span<float> to);

}  // namespace karyon
