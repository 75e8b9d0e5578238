#pragma once

#include "models/import/published_encoder.h"
#include "models/model.h"

namespace karyon {

/// The network of a checkpoint with its weights, in evaluation as it was published. Throws Error where the source is
/// not known or tensors are missing.
EfficientNet load_encoder(const PublishedEncoder&);

/// Sets the encoder of a U-Net; the rest keeps its random start. A stem for both views takes the published stem for
/// each of them, halved, so that the first activations keep their scale. Head and classifier are left out where the
/// U-Net has none. Throws Error where the network is another one, or pads, normalises or scales its input otherwise.
void initialise_encoder(const PublishedEncoder&, const Model&);

/// Writes a checkpoint of karyon: names and layouts of EfficientNet::visit, and the description in the metadata.
void convert_encoder(const PublishedEncoder&, const std::filesystem::path& out);

}  // namespace karyon
