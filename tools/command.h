#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

namespace karyon::tools {

/// Each adds one subcommand, whose callback does the work: it throws karyon::Error for what fails, and CLI::ParseError
/// for a command line that makes no sense.
void add_train(CLI::App&);
void add_evaluate(CLI::App&);
void add_predict(CLI::App&);
void add_normalize(CLI::App&);
void add_synth(CLI::App&);
void add_info(CLI::App&);
void add_inspect(CLI::App&);
void add_convert(CLI::App&);
void add_export(CLI::App&);
void add_classify(CLI::App&);
void add_doctor(CLI::App&);

/// Options that commands share.
void add_json(CLI::App&, bool& json);
void add_threads(CLI::App&, int& threads);
/// 0: one for every core.
void use_threads(int threads);

/// Makes the folder and its parents. Throws Error when it cannot be made.
void make_folder(const std::filesystem::path&);
/// Throws Error when two inputs would be written under one name.
void check_distinct_names(const std::vector<std::filesystem::path>& inputs);

}  // namespace karyon::tools
