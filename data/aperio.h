#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "data/rasterise.h"

namespace karyon {

/// The outlines of one Aperio ImageScope XML file.
struct AperioOutlines {
    std::vector<Polygon> regions;  ///< in the order of the file, all layers (Annotation elements) together
    std::vector<Polygon> holes;    ///< regions with NegativeROA="1": tissue that is not part of what they lie in
    std::optional<double> microns_per_pixel;  ///< absent when the attribute is missing, empty or 0
    int skipped = 0;                          ///< regions of fewer than three vertices, which have no area
};

/// Reads Annotations / Annotation / Regions / Region / Vertices / Vertex with attributes X and Y in pixels. No regions
/// is a valid, empty answer. Throws Error naming the file for anything but well-formed XML of that shape, and the
/// region and the attribute for a coordinate that is not a finite number.
AperioOutlines read_aperio(const std::filesystem::path&);

}  // namespace karyon
