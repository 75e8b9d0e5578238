// Counts how often a block passes over its expanded tensor, from profiles of ptxcpu. tools/block_passes.sh makes these
// and calls this.
#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "bench/kernel_table/profile.h"
#include "kernels/error.h"

namespace {

using namespace karyon;
using namespace karyon::kernel_table;

/// Bytes that each kernel moves with an infinite cache, over those of the expanded tensor.
using Traffic = std::map<std::string, double>;

struct Case {
    std::string block, form, way;
    Traffic traffic;

    /// What a kernel moves beside the expanded tensor (the narrow tensors, a sixth each, and parameters) is less than
    /// one pass.
    static int passes(double traffic) { return int(traffic); }
    int passes() const {
        int sum = 0;
        for (const auto& [kernel, bytes] : traffic) sum += passes(bytes);
        return sum;
    }
    double bytes() const {
        double sum = 0;
        for (const auto& [kernel, part] : traffic) sum += part;
        return sum;
    }
};

std::vector<Case> read_cases(const std::filesystem::path& folder) {
    std::ifstream list(folder / "list");
    if (!list) throw Error((folder / "list").string(), "expected what block_cases --list prints, got no such file");
    std::vector<Case> cases;
    for (std::string line; std::getline(list, line);) {
        Case item;
        std::istringstream fields(line);
        double expanded = 0;
        std::getline(fields, item.block, '\t');
        std::getline(fields, item.form, '\t');
        std::getline(fields, item.way, '\t');
        if (!(fields >> expanded)) throw Error("block passes", "expected four fields, got {}", line);
        const std::string number = std::to_string(cases.size() + 1);
        for (const KernelProfile& kernel : read_profile(folder / (number + ".json"), folder / (number + ".txt")))
            item.traffic[kernel.kernel] += kernel.dram_bytes / expanded;
        if (item.way == "both") {
            item.way = "backward";
            for (const auto& [kernel, bytes] : cases.back().traffic) item.traffic[kernel] -= bytes;
        }
        cases.push_back(std::move(item));
    }
    return cases;
}

std::string table(const std::vector<Case>& cases) {
    std::string text =
        "# Passes over the expanded tensor\n\nMade by `bash tools/block_passes.sh --update`; mbconv.md says how it is "
        "counted. Bytes are those of ptxcpu's profile with an infinite\ncache that is empty before each launch, over "
        "those of the expanded tensor; training, bf16.\n\n| block | way | form | passes | bytes "
        "|\n|---|---|---|---|---|\n";
    for (const Case& item : cases)
        text += fmt::format("| {} | {} | {} | {} | {:.2f} |\n", item.block, item.way, item.form, item.passes(),
                            item.bytes());
    for (const Case& item : cases) {
        text += fmt::format("\n## {}, {}, {}\n\n| kernel | bytes | passes |\n|---|---|---|\n", item.block, item.way,
                            item.form);
        for (const auto& [kernel, bytes] : item.traffic)
            if (bytes >= 0.05) text += fmt::format("| `{}` | {:.2f} | {} |\n", kernel, bytes, Case::passes(bytes));
    }
    return text;
}

/// What must hold whatever is committed.
void check_bounds(const std::vector<Case>& cases) {
    for (const Case& item : cases)
        if (item.way == "forward" && item.passes() > (item.form == "fused" ? 5 : 13))
            throw Error(item.block, "expected at most {} passes of the forward way, {}, got {}",
                        item.form == "fused" ? 5 : 13, item.form, item.passes());
}

/// As many passes as the committed page says, and no more bytes. Kernels may change their names and shares.
void check_page(const std::vector<Case>& cases, const std::string& file) {
    constexpr double most_more = 1.02;
    std::ostringstream page;
    page << std::ifstream(file).rdbuf();
    const std::string committed = page.str();
    for (const Case& item : cases) {
        const std::string row = fmt::format("| {} | {} | {} | ", item.block, item.way, item.form);
        const std::size_t at = committed.find(row);
        if (at == std::string::npos) throw Error(file, "expected a row that begins {}, got none", row);
        std::istringstream fields(committed.substr(at + row.size()));
        int passes = 0;
        double bytes = 0;
        char bar = 0;
        fields >> passes >> bar >> bytes;
        if (!fields || item.passes() != passes || item.bytes() > bytes * most_more)
            throw Error(file, "expected {}{} passes and {:.2f} bytes, got {} and {:.2f}", row, passes, bytes,
                        item.passes(), item.bytes());
    }
    fmt::print("{} passed, 0 failed\n", cases.size());
}

void run(const std::string& folder, const std::string& option, const std::string& file) {
    const std::vector<Case> cases = read_cases(folder);
    check_bounds(cases);
    const std::string text = table(cases);
    if (option == "--write") {
        std::ofstream out(file);
        if (!(out << text).flush()) throw Error(file, "expected a file that can be written, got a failure");
    } else if (option == "--check") {
        check_page(cases, file);
    } else {
        fmt::print("{}", text);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2 && argc != 4) {
        fmt::print(stderr, "usage: block_passes FOLDER [--write|--check FILE]\n");
        return 2;
    }
    try {
        run(argv[1], argc == 4 ? argv[2] : "", argc == 4 ? argv[3] : "");
    } catch (const std::exception& failure) {
        fmt::print(stderr, "{}\n", failure.what());
        return 1;
    }
    return 0;
}
