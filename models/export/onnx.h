#pragma once

#include <filesystem>

#include "models/model.h"

namespace karyon {

/// The network in evaluation as an ONNX file. Inputs, RGB levels from 0 to 255 as float [batch, 3, height, width]:
/// `local` unless the view is wide, `global` unless it is local (sizes as in LocalGlobalUnet). They are scaled inside;
/// stains are not normalised inside. Outputs [batch, 1, height, width]: `logits`, and `probability`, their sigmoid. A
/// network of the local view takes every size that is a multiple of 32, others those that they were trained for. The
/// description is kept in the file's metadata.
void export_onnx(const Model&, const std::filesystem::path&);

/// The bytes of that file.
std::string onnx_model(const Model&);

}  // namespace karyon
