#pragma once

#include <vector>

#include "data/image.h"
#include "data/synth.h"
#include "tensor/random.h"

namespace karyon {

/// The fields of a synthetic section, all [height, width].
struct Tissue {
    int width = 0, height = 0;
    std::vector<float> hematoxylin, eosin;  ///< concentrations, 1 = well stained
    std::vector<float> epithelium;          ///< 0 stroma .. 1 epithelium
    std::vector<float> lumen;               ///< 0 tissue .. 1 white gap
    std::vector<float> flow;                ///< the fibres of the stroma are its level lines
    Labels labels;

    std::size_t at(int x, int y) const { return std::size_t(y) * width + x; }
};

/// Stroma with fibres, epithelium and lumina with red cells: everything but nuclei.
Tissue make_tissue(const SynthConfig&, Random&);

/// Adds nuclei: round vesicular ones to epithelium, spindles along the fibres, dark lymphocytes anywhere.
void add_nuclei(Tissue&, const SynthConfig&, Random&);

}  // namespace karyon
