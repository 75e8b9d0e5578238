#pragma once

#include "bench/kernel_table/table.h"

namespace karyon::kernel_table {

/// Calls each(key, member) for all that a row holds, in the order of the file.
template <typename AnyRow, typename Each>
void for_each_field(AnyRow& row, Each each) {
    each("kernel", row.kernel);
    each("arch", row.arch);
    each("case", row.case_name);
    each("file", row.file);
    each("registers", row.registers);
    each("spill_bytes", row.spill_bytes);
    each("stack_bytes", row.stack_bytes);
    each("shared_bytes", row.shared_bytes);
    each("threads", row.threads);
    each("occupancy", row.occupancy);
    each("sectors_per_request", row.sectors_per_request);
    each("ideal_sectors", row.ideal_sectors);
    each("bank_ways", row.bank_ways);
    each("compulsory_bytes", row.compulsory_bytes);
    each("dram_bytes", row.dram_bytes);
    each("sector_bytes", row.sector_bytes);
    each("tile_bytes", row.tile_bytes);
    each("partial_bytes", row.partial_bytes);
    each("kernel_dram_bytes", row.kernel_dram_bytes);
    each("kernel_sector_bytes", row.kernel_sector_bytes);
    each("flops", row.flops);
    each("tile_flops", row.tile_flops);
    each("profiled_flops", row.profiled_flops);
}

}  // namespace karyon::kernel_table
