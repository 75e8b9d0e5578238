#pragma once

#include <span>
#include <vector>

#include "data/image.h"

namespace karyon {

/// A position in pixels: x the column, y the row, origin at the centre of the top left pixel.
struct Point {
    double x = 0, y = 0;
};

/// The largest coordinate taken, either way: far beyond any slide, and the arithmetic of crossings cannot overflow.
inline constexpr double max_coordinate = 1e9;

/// A closed outline: the last point joins the first. May touch or cross itself and leave the image.
using Polygon = std::vector<Point>;

/// Fills outlines into instance labels of width x height.
///
/// The rule is the one that gives the published MoNuSeg masks from their XML files exactly. Pixel (column c, row r) is
/// tested at the point (c, r), by the even-odd rule along the column: of the edges (x1,y1)-(x2,y2) with
/// (x1 <= c) != (x2 <= c), which cross the column at yi = y1 + (c - x1) / (x2 - x1) * (y2 - y1), the pixel is inside
/// when the number with r < yi is odd. Left and top edges therefore belong to the nucleus, right and bottom edges do
/// not.
///
/// Polygon i is labelled i + 1 and the first polygon that claims a pixel keeps it. A polygon of fewer than three points
/// has no pixels and leaves its number unused. Pixels inside any of the holes are background at the end.
/// Throws Error for a coordinate that is not finite or is beyond max_coordinate, and for width or height less than 1.
Labels rasterise(std::span<const Polygon> polygons, int width, int height, std::span<const Polygon> holes = {});

}  // namespace karyon
