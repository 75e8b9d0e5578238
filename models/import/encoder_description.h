#pragma once

#include <string>

#include "data/patches.h"
#include "models/efficientnet.h"

namespace karyon {

/// An EfficientNet as a checkpoint of karyon holds it; stored as JSON in the checkpoint's metadata.
struct EncoderDescription {
    std::string source;  ///< Source::name of the file it was converted from
    EfficientNetOptions network;
    InputScaling scaling;
};

/// Key of the description in a checkpoint's metadata.
inline constexpr const char* kEncoderKey = "karyon.encoder";

std::string to_json(const EncoderDescription&);
/// Throws Error naming `where` and the field.
EncoderDescription encoder_description_from_json(const std::string& text, const std::string& where);

}  // namespace karyon
