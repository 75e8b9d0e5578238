#pragma once

#include <string>
#include <vector>

#include "data/draw.h"

namespace karyon {

namespace colors {
constexpr Color contour = {255, 238, 0};  ///< outline of a prediction: far from both stains
constexpr Color true_positive = {0, 190, 90};
constexpr Color false_positive = {244, 50, 40};
constexpr Color false_negative = {30, 90, 255};
}  // namespace colors

/// The mask on the image: a light fill and an outline. Throws Error when their sizes differ.
Image overlay(const Image&, const Mask& prediction);
/// With a truth: the image in gray, true positives, false positives and false negatives each in their colour, and the
/// truth outlined.
Image overlay(const Image&, const Mask& prediction, const Mask& truth);
/// White nuclei on black.
Image picture_of(const Mask&);

struct Panel {
    Image picture;
    std::string caption;
};

/// Rows of panels, each scaled to fit into cell x cell pixels (never enlarged more than fourfold), caption above.
/// `legend` adds a line that explains the colours of an overlay with truth. Throws Error for no panels at all.
Image arrange(const std::vector<std::vector<Panel>>& rows, int cell = 320, bool legend = false);

}  // namespace karyon
