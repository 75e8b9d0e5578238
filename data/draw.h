#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "data/image.h"

namespace karyon {

/// Red, green, blue.
using Color = std::array<std::uint8_t, 3>;

struct Point {
    double x = 0, y = 0;  ///< pixels from the top left; pixel (0, 0) has its centre at (0.5, 0.5)
};

/// The colour of pixel (x, y) moves towards `color` by `opacity` (0..1). Pixels outside the image are ignored, here and
/// below.
void blend(Image&, int x, int y, Color, double opacity);
void fill_rectangle(Image&, int x, int y, int width, int height, Color, double opacity = 1);
/// An anti-aliased line with round ends, `thickness` pixels wide.
void draw_line(Image&, Point from, Point to, Color, double thickness = 1.5);
/// An anti-aliased filled circle.
void draw_dot(Image&, Point centre, double radius, Color);

/// Text in a fixed font of 5x9 dots, every dot `scale` pixels wide; (x, y) is its top left corner.
void draw_text(Image&, int x, int y, std::string_view text, Color, int scale = 1);
int text_width(std::string_view text, int scale = 1);
int text_height(int scale = 1);

/// Copies `source` into `target` with its top left corner at (x, y), cut at the edges.
void paste(Image& target, const Image& source, int x, int y);
/// The image at another size: the mean over the area that a pixel covers when shrinking, bilinear when enlarging.
/// Throws Error for an empty image or a size below 1.
Image resized(const Image&, int width, int height);

}  // namespace karyon
