#include "bench/kernel_table/kernel_name.h"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>
#include <regex>

namespace karyon::kernel_table {
namespace {

std::string demangled(const std::string& mangled) {
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> text(
        abi::__cxa_demangle(mangled.c_str(), nullptr, nullptr, &status), &std::free);
    return status == 0 ? text.get() : mangled;
}

/// The text without what its last bracket encloses: the parameters of a function.
std::string without_parameters(std::string text) {
    if (text.empty() || text.back() != ')') return text;
    int depth = 0;
    for (std::size_t i = text.size(); i-- > 0;) {
        if (text[i] == ')') ++depth;
        if (text[i] == '(' && --depth == 0) return text.substr(0, i);
    }
    return text;
}

}  // namespace

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
        text.replace(at, from.size(), to);
    return text;
}

std::string kernel_name(std::string_view mangled) {
    std::string name = without_parameters(demangled(std::string(mangled)));
    for (const std::string_view part : {"(anonymous namespace)::", "karyon::", "kernels::", "gpu::"})
        name = replaced(name, part, "");
    // Only templates state what they return.
    return name.starts_with("void ") ? name.substr(5) : name;
}

std::string source_file(std::string_view mangled) {
    static const std::regex anonymous("_GLOBAL__N__[0-9a-f]+_[0-9]+_([A-Za-z0-9_]+)_cu_[0-9a-f]+");
    std::match_results<std::string_view::const_iterator> match;
    if (!std::regex_search(mangled.begin(), mangled.end(), match, anonymous)) return {};
    return match[1].str() + ".cu";
}

}  // namespace karyon::kernel_table
