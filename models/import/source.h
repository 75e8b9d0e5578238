#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/patches.h"
#include "models/import/checkpoint.h"
#include "models/import/dialect.h"

namespace karyon {

/// Where a checkpoint comes from, which decides what its tensors cannot tell: how the network pads, the eps of its
/// batch norm, and how its input is scaled. With one of them wrong the network runs, and computes something else.
struct Source {
    std::string name;  ///< what --source takes
    Dialect dialect = Dialect::timm;
    PaddingKind padding = PaddingKind::same;
    BatchNormOptions batch_norm;
    InputScaling scaling;
    std::string about;
};

const std::vector<Source>& published_sources();
/// Throws Error naming the sources there are.
const Source& source_named(const std::string& name);
std::vector<std::string> source_names();
/// What the source means for one member: torchvision has another eps from B5 on, Lite networks another input scaling.
Source source_for(Source, const std::string& member);

/// mean = std = 0.5: levels from -1 to 1 (AdvProp, EfficientNet-Lite).
InputScaling half_scaling();

/// The sources that a checkpoint of this dialect may come from: one, or several where neither the file's name, nor the
/// config.json of the model hub beside it, nor the name of its folder decides.
std::vector<Source> possible_sources(Dialect, const std::string& member, const std::filesystem::path&);

}  // namespace karyon
