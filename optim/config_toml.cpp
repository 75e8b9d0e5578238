#define TOML_ENABLE_FORMATTERS 0
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "kernels/error.h"
#include "optim/config_table.h"

namespace karyon {
namespace {

std::string at_line(std::string_view where, const toml::source_region& source) {
    return fmt::format("{}:{}", where, source.begin.line);
}

toml::table parse(std::string_view text, std::string_view where) {
    try {
        return toml::parse(text);
    } catch (const toml::parse_error& failure) {
        throw Error(at_line(where, failure.source()), "expected TOML, got: {}", failure.description());
    }
}

std::string read_text(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    if (!file || !(text << file.rdbuf()))
        throw Error(path.string(), "expected a TOML file, got one that cannot be read");
    return text.str();
}

std::string known_keys(const std::vector<Field>& fields, std::string_view section) {
    std::string keys;
    for (const Field& field : fields)
        if (field.section == section) keys += (keys.empty() ? "" : ", ") + std::string(field.key);
    return keys;
}

[[noreturn]] void refuse(const Field& field, const toml::node& node, const std::string& where) {
    std::ostringstream kind;
    kind << node.type();
    throw Error(where, "{}: expected {}, got a value of type {}", field.path(), field.expected(), kind.str());
}

void set_list(const Field& field, const toml::array& array, const std::string& where) {
    std::vector<std::string> texts;
    std::vector<double> numbers;
    for (const toml::node& element : array) {
        if (const auto text = element.value_exact<std::string>())
            texts.push_back(*text);
        else if (element.is_number())
            numbers.push_back(*element.value<double>());
        else
            refuse(field, array, where);
    }
    if (!texts.empty() && !numbers.empty()) refuse(field, array, where);
    if (numbers.empty())
        field.set(texts, where);
    else
        field.set(numbers, where);
}

void set_field(const Field& field, const toml::node& node, const std::string& where) {
    if (const auto truth = node.value_exact<bool>())
        field.set(*truth, where);
    else if (const auto whole = node.value_exact<std::int64_t>())
        field.set(*whole, where);
    else if (const auto real = node.value_exact<double>())
        field.set(*real, where);
    else if (const auto text = node.value_exact<std::string>())
        field.set(*text, where);
    else if (const toml::array* array = node.as_array())
        set_list(field, *array, where);
    else
        refuse(field, node, where);
}

void set_table(const std::vector<Field>& fields, std::string_view section, const toml::table& table,
               std::string_view where) {
    for (const auto& [key, node] : table) {
        const std::string line = at_line(where, node.source());
        const auto field = std::ranges::find_if(
            fields, [&](const Field& one) { return one.section == section && one.key == key.str(); });
        if (field != fields.end()) {
            set_field(*field, node, line);
            continue;
        }
        const bool is_section = std::ranges::any_of(fields, [&](const Field& one) { return one.section == key.str(); });
        if (!section.empty() || !is_section)
            throw Error(line, "expected a key of {} ({}), got '{}'",
                        section.empty() ? std::string("the top level or a section") : fmt::format("[{}]", section),
                        known_keys(fields, section), key.str());
        if (!node.is_table()) throw Error(line, "{}: expected a section, got a value", key.str());
        set_table(fields, key.str(), *node.as_table(), where);
    }
}

}  // namespace

void read_config_text(TrainConfig& config, std::string_view text, std::string_view where) {
    const toml::table table = parse(text, where);
    TrainConfig changed = config;
    set_table(fields_of(changed), "", table, where);
    config = changed;
}

void read_config(TrainConfig& config, const std::filesystem::path& path) {
    read_config_text(config, read_text(path), path.string());
}

std::string preset_named_in(const std::filesystem::path& path) {
    return parse(read_text(path), path.string())["preset"].value_or(std::string());
}

std::string to_toml(const TrainConfig& config) {
    TrainConfig copy = config;
    std::string text;
    std::string_view section;
    for (const Field& field : fields_of(copy)) {
        if (field.section != section) text += fmt::format("\n[{}]\n", section = field.section);
        const std::string line = fmt::format("{} = {}", field.key, field.text());
        text += fmt::format("{:<32}  # {}\n", line, field.help);
    }
    return text;
}

}  // namespace karyon
