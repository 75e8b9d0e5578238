#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "kernels/error.h"
#include "optim/config_table.h"

namespace karyon {
namespace {

template <typename T>
constexpr bool is_real = std::is_same_v<T, float> || std::is_same_v<T, double>;
template <typename T>
constexpr bool is_integer = std::is_same_v<T, int> || std::is_same_v<T, std::uint64_t>;

/// The shortest text that reads back as the same number, and is a real number to TOML.
template <typename T>
std::string real_text(T value) {
    std::string text = fmt::format("{}", value);
    return text.find_first_of(".einf") == std::string::npos ? text + ".0" : text;
}

std::string in_quotes(const std::string& text) { return nlohmann::json(text).dump(); }

template <typename T, typename Write>
std::string list_text(const std::vector<T>& values, Write write) {
    std::string text;
    for (const T& value : values) text += (text.empty() ? "" : ", ") + write(value);
    return "[" + text + "]";
}

[[noreturn]] void refuse(const Field& field, std::string_view where, const std::string& found) {
    throw Error(where, "{}: expected {}, got {}", field.path(), field.expected(), found);
}

bool within(const Field& field, double value) { return value >= field.low && value <= field.high; }

template <typename T>
std::optional<T> parsed(const std::string& text) {
    T value{};
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::vector<std::string> pieces(const std::string& text) {
    std::vector<std::string> result;
    for (std::size_t first = 0; first < text.size();) {
        const std::size_t comma = std::min(text.find(',', first), text.size());
        result.push_back(text.substr(first, comma - first));
        first = comma + 1;
    }
    return result;
}

}  // namespace

std::string Field::path() const { return section.empty() ? std::string(key) : fmt::format("{}.{}", section, key); }

std::string Field::flag() const {
    std::string name = fmt::format("--{}", key);
    std::ranges::replace(name, '_', '-');
    return name;
}

std::string Field::expected() const {
    if (!choices.empty()) return fmt::format("one of {}", fmt::join(choices, ", "));
    const std::string range =
        high < 1e300 ? fmt::format(" from {:g} to {:g}", low, high) : fmt::format(" of at least {:g}", low);
    return std::visit(
        [&]<typename T>(T*) -> std::string {
            if constexpr (std::is_same_v<T, bool>)
                return "true or false";
            else if constexpr (std::is_same_v<T, std::string>)
                return "text";
            else if constexpr (std::is_same_v<T, std::vector<std::string>>)
                return "a list of texts";
            else if constexpr (std::is_same_v<T, std::vector<double>>)
                return "a list of numbers" + range;
            else
                return (is_integer<T> ? "a whole number" : "a number") + range;
        },
        value);
}

std::string Field::text() const {
    return std::visit(
        []<typename T>(T* field) -> std::string {
            if constexpr (std::is_same_v<T, std::string>)
                return in_quotes(*field);
            else if constexpr (std::is_same_v<T, std::vector<std::string>>)
                return list_text(*field, in_quotes);
            else if constexpr (std::is_same_v<T, std::vector<double>>)
                return list_text(*field, real_text<double>);
            else if constexpr (is_real<T>)
                return real_text(*field);
            else
                return fmt::format("{}", *field);
        },
        value);
}

void Field::set(bool found, std::string_view where) const {
    const auto target = std::get_if<bool*>(&value);
    if (!target) refuse(*this, where, found ? "true" : "false");
    **target = found;
}

void Field::set(std::int64_t found, std::string_view where) const {
    std::visit(
        [&]<typename T>(T* target) {
            if constexpr (is_integer<T> || is_real<T>)
                if (within(*this, double(found))) return void(*target = T(found));
            refuse(*this, where, fmt::format("{}", found));
        },
        value);
}

void Field::set(double found, std::string_view where) const {
    std::visit(
        [&]<typename T>(T* target) {
            if constexpr (is_real<T>)
                if (within(*this, found)) return void(*target = T(found));
            refuse(*this, where, real_text(found));
        },
        value);
}

void Field::set(const std::string& found, std::string_view where) const {
    const auto target = std::get_if<std::string*>(&value);
    if (!target || (!choices.empty() && std::ranges::find(choices, found) == choices.end()))
        refuse(*this, where, in_quotes(found));
    **target = found;
}

void Field::set(const std::vector<std::string>& found, std::string_view where) const {
    if (found.empty())
        if (const auto numbers = std::get_if<std::vector<double>*>(&value)) return (*numbers)->clear();
    const auto target = std::get_if<std::vector<std::string>*>(&value);
    if (!target) refuse(*this, where, list_text(found, in_quotes));
    **target = found;
}

void Field::set(const std::vector<double>& found, std::string_view where) const {
    const auto target = std::get_if<std::vector<double>*>(&value);
    if (!target || !std::ranges::all_of(found, [&](double number) { return within(*this, number); }))
        refuse(*this, where, list_text(found, real_text<double>));
    **target = found;
}

void Field::set_from_text(const std::string& text, std::string_view where) const {
    if (std::holds_alternative<std::string*>(value)) return set(text, where);
    if (std::holds_alternative<std::vector<std::string>*>(value)) return set(pieces(text), where);
    if (std::holds_alternative<bool*>(value)) {
        if (text != "true" && text != "false") refuse(*this, where, in_quotes(text));
        return set(text == "true", where);
    }
    if (std::holds_alternative<std::vector<double>*>(value)) {
        std::vector<double> numbers;
        for (const std::string& piece : pieces(text)) {
            const auto number = parsed<double>(piece);
            if (!number) refuse(*this, where, in_quotes(text));
            numbers.push_back(*number);
        }
        return set(numbers, where);
    }
    if (const auto whole = parsed<std::int64_t>(text)) return set(*whole, where);
    const auto number = parsed<double>(text);
    if (!number) refuse(*this, where, in_quotes(text));
    set(*number, where);
}

}  // namespace karyon
