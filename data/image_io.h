#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "data/image.h"

namespace karyon {

/// Reads a TIFF, PNG or JPEG file, told apart by its first bytes and not by its suffix, as 8-bit RGB.
///
/// - gray is replicated into the three channels; palettes are expanded;
/// - alpha is composited over white;
/// - 16-bit samples are divided by 257 and rounded; 1-, 2- and 4-bit gray is stretched to 0..255;
/// - CMYK is converted as R = (255 - C)(255 - K) / 255, with no colour profile (Adobe JPEGs store it inverted; that is
///   undone);
/// - embedded gamma, colour profiles and orientation tags are ignored: pixels come as stored;
/// - of a TIFF with several pages, the first that is not marked as a reduced copy of another.
///
/// Throws Error naming the file for anything else: empty, truncated or damaged files (never a half-filled picture),
/// more than 2^31 pixels, a header that promises more than the file can hold, samples of 32 bits or floating point.
Image read_image(const std::filesystem::path&);

/// Writes an 8-bit RGB PNG. All writers throw Error when the picture is empty or its buffer is not of width x height,
/// and when the file cannot be written; they write beside it and rename, so that a failure leaves what was there
/// before.
void write_png(const std::filesystem::path&, const Image&);

/// Writes an 8-bit gray PNG from pixels [height, width].
void write_png(const std::filesystem::path&, int width, int height, std::span<const std::uint8_t> pixels);

/// Writes a 16-bit gray PNG from pixels [height, width].
void write_png16(const std::filesystem::path&, int width, int height, std::span<const std::uint16_t> pixels);

}  // namespace karyon
