#pragma once

namespace karyon {

constexpr int glyph_width = 5;
constexpr int glyph_height = 9;  ///< seven rows above the base line, two below it

/// Whether the glyph of `character` has ink in column 0..4 (left to right) of row 0..8 (top to bottom). Characters
/// outside printable ASCII are drawn as '?'.
bool glyph_ink(char character, int column, int row);

}  // namespace karyon
