#pragma once

#include <optional>

#include "models/import/published_encoder.h"
#include "optim/config.h"

namespace karyon {

/// The encoder in a file to start from; none where it is a checkpoint of a whole network of karyon.
std::optional<PublishedEncoder> encoder_to_start_from(const std::filesystem::path&, const EncoderHints&);

/// Sets what follows from the weights and not from the recipe: padding, eps of batch norm and input scaling of the
/// encoder. Throws Error when the encoder is of another size than the recipe's.
void adopt_conventions(TrainConfig&, const PublishedEncoder&);

}  // namespace karyon
