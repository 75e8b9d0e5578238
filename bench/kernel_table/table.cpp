#include "bench/kernel_table/table.h"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bench/kernel_table/arch.h"
#include "bench/kernel_table/fields.h"
#include "kernels/error.h"

namespace karyon::kernel_table {
namespace {

using nlohmann::ordered_json;

/// Four decimals: what a table can be read by.
double rounded(double value) { return std::round(value * 1e4) / 1e4; }

Row make_row(const Resources& takes, const CaseProfile& of, const KernelProfile& kernel) {
    Row row{.case_name = of.name, .kernel = kernel.kernel, .file = takes.file, .arch = takes.arch};
    row.registers = takes.registers;
    row.spill_bytes = takes.spill_bytes;
    row.stack_bytes = takes.stack_bytes;
    row.shared_bytes = std::max(kernel.shared_bytes, takes.shared_bytes);
    row.threads = kernel.threads;
    row.occupancy = rounded(occupancy(takes.arch, takes.registers, row.threads, row.shared_bytes));
    const double requests = std::max(kernel.requests, 1.0);
    row.sectors_per_request = rounded(kernel.sectors / requests);
    row.ideal_sectors = rounded(kernel.ideal_sectors / requests);
    row.bank_ways = rounded(kernel.bank_ways);
    row.compulsory_bytes = of.cost.bytes;
    row.tile_bytes = of.tile_bytes;
    row.partial_bytes = of.partial_bytes;
    row.tile_flops = of.tile_flops;
    row.kernel_dram_bytes = kernel.dram_bytes;
    row.kernel_sector_bytes = kernel.sector_bytes;
    row.flops = of.cost.flops;
    for (const KernelProfile& each : of.kernels) {
        row.dram_bytes += each.dram_bytes;
        row.sector_bytes += each.sector_bytes;
        row.profiled_flops += each.flops;
    }
    return row;
}

ordered_json to_value(const std::string& text) { return text; }
ordered_json to_value(int number) { return number; }
/// Whole numbers without a fraction.
ordered_json to_value(double number) {
    if (number == std::floor(number) && std::abs(number) < 0x1p53) return static_cast<std::int64_t>(number);
    return number;
}

}  // namespace

std::vector<Row> make_rows(const std::vector<Resources>& resources, const std::vector<CaseProfile>& cases) {
    std::vector<Row> rows;
    for (const CaseProfile& item : cases)
        for (const KernelProfile& kernel : item.kernels) {
            const std::size_t before = rows.size();
            for (const Resources& takes : resources)
                if (takes.kernel == kernel.kernel && takes.file == kernel.file)
                    rows.push_back(make_row(takes, item, kernel));
            if (rows.size() == before)
                throw Error("kernel table", "expected {} of {} in the logs of ptxas, got none", kernel.kernel,
                            item.name);
        }
    return rows;
}

std::string to_json(const std::vector<Row>& rows) {
    std::string text = "[";
    for (const Row& row : rows) {
        ordered_json line;
        for_each_field(row, [&](const char* key, const auto& value) { line[key] = to_value(value); });
        text += (text.size() > 1 ? ",\n" : "\n") + line.dump();
    }
    return text + "\n]\n";
}

void complete(std::vector<CaseProfile>& cases, const std::vector<Row>& before) {
    for (CaseProfile& item : cases) {
        if (!item.kernels.empty()) continue;
        for (const Row& row : before) {
            if (row.case_name != item.name || row.arch != before.front().arch) continue;
            item.kernels.push_back({.kernel = row.kernel,
                                    .file = row.file,
                                    .threads = row.threads,
                                    .shared_bytes = row.shared_bytes,
                                    .requests = 1,
                                    .sectors = row.sectors_per_request,
                                    .ideal_sectors = row.ideal_sectors,
                                    .bank_ways = row.bank_ways,
                                    .dram_bytes = row.kernel_dram_bytes,
                                    .sector_bytes = row.kernel_sector_bytes,
                                    .flops = item.kernels.empty() ? row.profiled_flops : 0});
        }
        if (item.kernels.empty()) throw Error("kernel table", "expected a profile of {}, got none", item.name);
    }
}

}  // namespace karyon::kernel_table
