#pragma once

#include <filesystem>

#include "data/image.h"

namespace karyon {

/// Reads instance labels: a gray PNG or TIFF of 8, 16 or 32 bits whose values are the ids (fewer bits and RGB that is
/// gray in effect are taken too). Throws Error naming the file for colours, transparency, JPEG compression (its values
/// are not those that were drawn), ids above 2^31 - 1, and everything that read_image refuses.
Labels read_labels(const std::filesystem::path&);

/// Reads a mask: any value but 0 is nucleus, so that 0/1 and 0/255 mean the same. Files and errors as for read_labels.
Mask read_mask(const std::filesystem::path&);

/// Writes ids as a 16-bit gray PNG. Throws Error for ids outside 0..65535 and where write_png does.
void write_labels(const std::filesystem::path&, const Labels&);

/// Writes a mask as an 8-bit gray PNG of 0 and 255. Throws Error where write_png does.
void write_mask(const std::filesystem::path&, const Mask&);

}  // namespace karyon
