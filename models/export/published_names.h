#pragma once

#include "models/import/published_encoder.h"

namespace karyon {

/// Writes the encoder of a checkpoint, which may be a network that karyon trained, as safetensors in the names and
/// layouts of another library, and returns the source whose network computes the same with them. Throws Error where the
/// library has none that pads and normalises as this one does.
Source export_encoder(const PublishedEncoder&, Dialect to, const std::filesystem::path&);

}  // namespace karyon
