#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "bench/kernel_table/profile.h"
#include "bench/kernel_table/resources.h"

namespace karyon::kernel_table {

/// One kernel in one case on one architecture. Bytes and flops of the case are sums over all kernels that it launches,
/// and stand in the row of each.
struct Row {
    std::string case_name, kernel, file, arch;
    int registers = 0, spill_bytes = 0, stack_bytes = 0;
    int shared_bytes = 0, threads = 0;  ///< of a block; static and dynamic
    double occupancy = 0;
    double sectors_per_request = 0, ideal_sectors = 0;  ///< both per request
    double bank_ways = 1;
    double compulsory_bytes = 0, dram_bytes = 0, sector_bytes = 0;  ///< of the case
    double tile_bytes = 0;                                          ///< CaseProfile::tile_bytes
    double kernel_dram_bytes = 0, kernel_sector_bytes = 0;          ///< this kernel's part
    double flops = 0, profiled_flops = 0;                           ///< by cost() and by the profile, of the case
};

/// Throws Error where a profiled kernel has no resources.
std::vector<Row> make_rows(const std::vector<Resources>&, const std::vector<CaseProfile>&);

/// A list of objects, one on a line.
std::string to_json(const std::vector<Row>&);
std::vector<Row> read_json(const std::filesystem::path&);

/// The rows as two Markdown tables: what kernels take, and how they reach memory.
std::string to_markdown(const std::vector<Row>&);

}  // namespace karyon::kernel_table
