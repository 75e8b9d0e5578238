#include "bench/kernel_table/bounds.h"

#include <fnmatch.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>

#include "kernels/error.h"

namespace karyon::kernel_table {
namespace {

constexpr std::array figures = {"spill_bytes",         "stack_bytes", "occupancy",
                                "sectors_per_request", "bank_ways",   "dram_bytes",
                                "sector_bytes",        "flops",       "case"};

bool fits(const std::string& pattern, const std::string& text) {
    return fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
}

template <typename T>
T take(toml::table& table, const std::string& file, std::string_view key, T otherwise) {
    const toml::node* node = table.get(key);
    if (!node) return otherwise;
    const std::optional<T> value = node->value<T>();
    if (!value) throw Error(file, "expected a value of the right type, got another, for {}", key);
    table.erase(key);
    return *value;
}

void expect_empty(const toml::table& table, const std::string& file) {
    if (!table.empty()) throw Error(file, "expected a known key, got {}", std::string(table.begin()->first.str()));
}

/// Calls each(table) for every [[name]] of the file.
template <typename Each>
void for_each_table(toml::table& all, const std::string& file, std::string_view name, Each each) {
    toml::array* list = all.get_as<toml::array>(name);
    if (!list) return;
    for (toml::node& item : *list) {
        if (!item.is_table()) throw Error(file, "expected tables under {}, got another value", name);
        each(*item.as_table());
        expect_empty(*item.as_table(), file);
    }
    all.erase(name);
}

}  // namespace

Bounds::Family Bounds::family_of(const std::string& case_name) const {
    for (const Family& family : families)
        if (fits(family.cases, case_name)) return family;
    return {};
}

bool Bounds::excused(const std::string& case_name, const std::string& kernel, const std::string& figure) {
    bool any = false;
    for (Exception& item : exceptions)
        if (item.figure == figure && fits(item.cases, case_name) && fits(item.kernel, kernel)) any = item.used = true;
    return any;
}

Bounds read_bounds(const std::filesystem::path& path) {
    const std::string file = path.string();
    Bounds bounds;
    toml::table all;
    try {
        all = toml::parse_file(file);
    } catch (const toml::parse_error& failure) {
        throw Error(file, "expected TOML, got {}", failure.description());
    }
    for_each_table(all, file, "family", [&](toml::table& item) {
        bounds.families.push_back({take(item, file, "cases", std::string("*")),
                                   take(item, file, "sector_bytes", most_sector_bytes),
                                   take(item, file, "tiles", false)});
    });
    for_each_table(all, file, "exception", [&](toml::table& item) {
        const std::string any = "*", none;
        bounds.exceptions.push_back({take(item, file, "cases", any), take(item, file, "kernel", any),
                                     take(item, file, "figure", none), take(item, file, "reason", none)});
        const Bounds::Exception& read = bounds.exceptions.back();
        if (std::find(figures.begin(), figures.end(), read.figure) == figures.end())
            throw Error(file, "expected a figure of the table, got \"{}\"", read.figure);
        if (read.reason.empty()) throw Error(file, "expected a reason for {} of {}, got none", read.figure, read.cases);
    });
    expect_empty(all, file);
    return bounds;
}

}  // namespace karyon::kernel_table
