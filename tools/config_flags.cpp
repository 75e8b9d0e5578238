#include "tools/config_flags.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "kernels/error.h"
#include "optim/config_table.h"

namespace karyon::tools {
namespace {

bool is_truth(const Field& field) { return std::holds_alternative<bool*>(field.value); }

/// "NUMBER", "{constant,cosine}": what stands behind a flag in the help.
std::string type_name(const Field& field) {
    if (!field.choices.empty()) return fmt::format("{{{}}}", fmt::join(field.choices, ","));
    if (std::holds_alternative<std::string*>(field.value)) return "TEXT";
    if (std::holds_alternative<std::vector<std::string>*>(field.value)) return "NAME,...";
    if (std::holds_alternative<std::vector<double>*>(field.value)) return "NUMBER,...";
    return "NUMBER";
}

std::string heading(const std::string& section) {
    return section.empty() ? "Run"
                           : fmt::format("{} [{}]", char(std::toupper(section[0])) + section.substr(1), section);
}

}  // namespace

ConfigFlags::ConfigFlags(CLI::App& app, const std::vector<std::string>& sections) {
    app.add_option("--config", config_file_, "TOML file with any of the keys below; flags win over it")
        ->type_name("FILE.toml");
    TrainConfig standard;
    for (const Field& field : fields_of(standard)) {
        const std::string section(field.section);
        if (std::ranges::find(sections, section) == sections.end()) continue;
        auto& flag = flags_[field.path()] = std::make_unique<Flag>();
        const std::string help(field.help);
        if (is_truth(field)) {
            const std::string opposite = "--no-" + field.flag().substr(2);
            flag->option = app.add_flag(field.flag())->description(fmt::format("{}; the opposite: {}", help, opposite));
            flag->off = app.add_flag(opposite)->group("")->excludes(flag->option);
        } else {
            const std::string shown =
                field.key == "preset" ? fmt::format("{{{}}}", fmt::join(preset_names(), ",")) : type_name(field);
            flag->option = app.add_option(field.flag(), flag->text, help)->type_name(shown);
        }
        flag->option->group(heading(section));
    }
}

TrainConfig ConfigFlags::resolve(const std::string& standard) const {
    const auto& chosen = flags_.at("preset");
    std::string name = chosen->option->count() ? chosen->text : "";
    if (!name.empty() && std::ranges::find(preset_names(), name) == preset_names().end())
        throw CLI::ValidationError("--preset",
                                   fmt::format("expected one of {}, got {}", fmt::join(preset_names(), ", "), name));
    if (name.empty() && !config_file_.empty()) name = preset_named_in(config_file_);
    TrainConfig config = preset(name.empty() ? standard : name);
    apply(config);
    return config;
}

void ConfigFlags::apply(TrainConfig& config) const {
    if (!config_file_.empty()) read_config(config, config_file_);
    for (const Field& field : fields_of(config)) {
        const auto found = flags_.find(field.path());
        if (found == flags_.end()) continue;
        const Flag& flag = *found->second;
        const bool off = flag.off && flag.off->count();
        if (!flag.option->count() && !off) continue;
        try {
            if (is_truth(field))
                field.set(!off, field.flag());
            else
                field.set_from_text(flag.text, field.flag());
        } catch (const Error& error) {
            throw CLI::ValidationError(error.what());
        }
    }
}

}  // namespace karyon::tools
