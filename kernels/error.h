#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace karyon {

/// The one exception type of the project. The text is `[op or file] expected ..., got ...`.
class Error : public std::runtime_error {
  public:
    explicit Error(const std::string& text) : std::runtime_error(text) {}

    template <typename... Args>
    Error(std::string_view where, fmt::format_string<Args...> text, Args&&... args)
        : std::runtime_error(fmt::format("[{}] {}", where, fmt::format(text, std::forward<Args>(args)...))) {}
};

}  // namespace karyon
