#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "optim/config.h"

namespace karyon {

/// One field of TrainConfig: where it is, what it is called, what it means, what it may be.
struct Field {
    using Value = std::variant<bool*, int*, std::uint64_t*, float*, double*, std::string*, std::vector<std::string>*,
                               std::vector<double>*>;

    std::string_view section = {};  ///< empty: top level
    std::string_view key = {};      ///< unique over all sections, so that `--key` names it
    Value value = {};               ///< into the config that fields_of was given
    std::string_view help = {};
    double low = 0, high = std::numeric_limits<double>::infinity();  ///< bounds of numbers, inclusive
    std::vector<std::string_view> choices = {};                      ///< of strings; empty: any

    /// "optim.lr", or "seed" at the top level.
    std::string path() const;
    /// The command-line flag: "--side-loss-weights".
    std::string flag() const;
    /// What is expected, for help and messages: "a number from 0 to 1", "one of none, gaussian".
    std::string expected() const;
    /// The value as TOML: 0.001, "b4", ["a", "b"].
    std::string text() const;

    /// Each sets the field. Throw Error(where, ...) naming key, expected and found.
    void set(bool, std::string_view where) const;
    void set(std::int64_t, std::string_view where) const;
    void set(double, std::string_view where) const;
    void set(const std::string&, std::string_view where) const;
    void set(const std::vector<std::string>&, std::string_view where) const;
    void set(const std::vector<double>&, std::string_view where) const;
    /// From the command line: lists are separated by commas.
    void set_from_text(const std::string& text, std::string_view where) const;
};

/// Every field of `config`, section by section.
std::vector<Field> fields_of(TrainConfig& config);

}  // namespace karyon
