#include "bench/kernel_table/resources.h"

#include <algorithm>
#include <fstream>
#include <regex>

#include "bench/kernel_table/arch.h"
#include "bench/kernel_table/kernel_name.h"

namespace karyon::kernel_table {

std::vector<Resources> read_ptxas_log(std::istream& in) {
    static const std::regex entry("Compiling entry function '([^']+)' for '(sm_[0-9a-z]+)'");
    static const std::regex stack(
        "^ +([0-9]+) bytes stack frame, ([0-9]+) bytes spill stores, ([0-9]+) bytes spill loads");
    static const std::regex used("Used ([0-9]+) registers");
    static const std::regex shared(" ([0-9]+) bytes smem");
    std::vector<Resources> all;
    std::smatch match;
    for (std::string line; std::getline(in, line);) {
        if (std::regex_search(line, match, entry)) {
            all.push_back({kernel_name(match[1].str()), source_file(match[1].str()), match[2].str()});
        } else if (!all.empty() && std::regex_search(line, match, stack)) {
            all.back().stack_bytes = std::stoi(match[1]);
            all.back().spill_bytes = std::stoi(match[2]) + std::stoi(match[3]);
        } else if (!all.empty() && std::regex_search(line, match, used)) {
            all.back().registers = std::stoi(match[1]);
            if (std::regex_search(line, match, shared)) all.back().shared_bytes = std::stoi(match[1]);
        }
    }
    return all;
}

std::vector<Resources> read_ptxas_logs(const std::filesystem::path& folder) {
    std::vector<Resources> all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (entry.path().extension() != ".ptxas") continue;
        std::ifstream in(entry.path());
        for (Resources& item : read_ptxas_log(in)) all.push_back(std::move(item));
    }
    std::sort(all.begin(), all.end(), [](const Resources& a, const Resources& b) {
        return std::tuple(a.file, a.kernel, arch_number(a.arch)) < std::tuple(b.file, b.kernel, arch_number(b.arch));
    });
    // A kernel of a header that several sources use is in the log of each; the linker keeps one.
    const auto same = [](const Resources& a, const Resources& b) {
        return a.file == b.file && a.kernel == b.kernel && a.arch == b.arch;
    };
    all.erase(std::unique(all.begin(), all.end(), same), all.end());
    return all;
}

}  // namespace karyon::kernel_table
