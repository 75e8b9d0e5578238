#include <fmt/format.h>

#include <algorithm>

#include "bench/kernel_table/table.h"

namespace karyon::kernel_table {
namespace {

/// Rows of one kernel in one case stand side by side, one for each architecture.
std::size_t end_of_kernel(const std::vector<Row>& rows, std::size_t begin) {
    std::size_t end = begin;
    while (end < rows.size() && rows[end].case_name == rows[begin].case_name &&
           rows[end].kernel == rows[begin].kernel && rows[end].file == rows[begin].file)
        ++end;
    return end;
}

/// `a b c`, or one value where all are the same.
template <typename Value>
std::string over_architectures(const std::vector<Row>& rows, std::size_t begin, std::size_t end, Value value) {
    std::string text = value(rows[begin]);
    const bool same = std::all_of(rows.begin() + std::ptrdiff_t(begin), rows.begin() + std::ptrdiff_t(end),
                                  [&](const Row& row) { return value(row) == text; });
    for (std::size_t i = begin + 1; i < end && !same; ++i) text += ' ' + value(rows[i]);
    return text;
}

std::string ratio(double got, double expected) { return expected > 0 ? fmt::format("{:.3f}", got / expected) : "-"; }

std::string architectures(const std::vector<Row>& rows) {
    std::string text;
    for (std::size_t i = 0; i < end_of_kernel(rows, 0); ++i) text += (i ? " " : "") + rows[i].arch;
    return text;
}

}  // namespace

std::string to_markdown(const std::vector<Row>& rows) {
    if (rows.empty()) return "No case was profiled.\n";
    std::string takes = fmt::format(
        "| case | kernel | threads | shared bytes | registers | spilled | occupancy % |\n"
        "|---|---|--:|--:|--:|--:|--:|\n");
    std::string moves =
        "| case | kernel | sectors a request | ideal | bank ways | MB | DRAM / cost | no cache / cost | flops / cost "
        "|\n"
        "|---|---|--:|--:|--:|--:|--:|--:|--:|\n";
    std::string last;
    for (std::size_t begin = 0, end = 0; begin < rows.size(); begin = end) {
        end = end_of_kernel(rows, begin);
        const Row& row = rows[begin];
        const bool first = row.case_name != last;
        last = row.case_name;
        const auto all = [&](auto value) { return over_architectures(rows, begin, end, value); };
        takes +=
            fmt::format("| {} | `{}` | {} | {} | {} | {} | {} |\n", first ? row.case_name : "", row.kernel, row.threads,
                        row.shared_bytes, all([](const Row& of) { return fmt::format("{}", of.registers); }),
                        all([](const Row& of) { return fmt::format("{}", of.spill_bytes); }),
                        all([](const Row& of) { return fmt::format("{:.0f}", 100 * of.occupancy); }));
        moves += fmt::format("| {} | `{}` | {:.2f} | {:.2f} | {:.2f} | {:.2f} | {} | {} | {} |\n",
                             first ? row.case_name : "", row.kernel, row.sectors_per_request, row.ideal_sectors,
                             row.bank_ways, row.kernel_dram_bytes / 1e6,
                             first ? ratio(row.dram_bytes, row.compulsory_bytes) : "",
                             first ? ratio(row.sector_bytes, row.compulsory_bytes) : "",
                             first ? ratio(row.profiled_flops, row.flops) : "");
    }
    return fmt::format("Registers and occupancy: one figure, or those of {}.\n\n{}\n{}", architectures(rows), takes,
                       moves);
}

}  // namespace karyon::kernel_table
