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
    double tile_bytes = 0, partial_bytes = 0, tile_flops = 0;       ///< of the case: see CaseProfile
    double kernel_dram_bytes = 0, kernel_sector_bytes = 0;          ///< this kernel's part
    double flops = 0, profiled_flops = 0;                           ///< by cost() and by the profile, of the case
};

/// Throws Error where a kernel of a case has no resources.
std::vector<Row> make_rows(const std::vector<Resources>&, const std::vector<CaseProfile>&);

/// Cases that were not profiled take what a table of before says of them. Throws Error where it says nothing.
void complete(std::vector<CaseProfile>&, const std::vector<Row>& before);

/// A list of objects, one on a line.
std::string to_json(const std::vector<Row>&);

/// A line for each kernel of a case; what differs between architectures is a list in the order of `arch`.
std::string to_tsv(const std::vector<Row>&);
std::vector<Row> read_table(const std::filesystem::path&);

/// The rows as two Markdown tables: what kernels take, and how they reach memory.
std::string to_markdown(const std::vector<Row>&);

}  // namespace karyon::kernel_table
