#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "optim/config.h"

namespace karyon::tools {

/// One command-line flag for every field of TrainConfig in the sections named, and --config; made from the table of
/// fields, so that help and checks are those of the TOML file.
class ConfigFlags {
  public:
    /// `sections`: "" for the top level. Flags appear under a heading a section.
    ConfigFlags(CLI::App&, const std::vector<std::string>& sections);

    /// Preset, then config file, then flags. The preset is --preset's, else the one that the file names, else
    /// `standard`. Throws CLI::ValidationError for a flag's value, Error for the file's.
    TrainConfig resolve(const std::string& standard) const;
    /// The config file and the flags on top of `config`.
    void apply(TrainConfig& config) const;

  private:
    struct Flag {
        CLI::Option* option = nullptr;
        CLI::Option* off = nullptr;  ///< --no-..., for a truth
        std::string text;
    };

    std::string config_file_;
    std::map<std::string, std::unique_ptr<Flag>> flags_;  ///< by Field::path()
};

}  // namespace karyon::tools
