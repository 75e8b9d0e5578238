#pragma once

#include <string>
#include <vector>

#include "bench/kernel_table/bounds.h"
#include "bench/kernel_table/registers.h"
#include "bench/kernel_table/table.h"

namespace karyon::kernel_table {

struct Report {
    int checks = 0;
    std::vector<std::string> failures;
};

/// Holds every figure against its bound, and demands a case for every kernel of `all`, in one instance of its template.
/// An exception that excuses nothing is a failure too.
void check_bounds(const std::vector<Row>&, const std::vector<Registers>& all, Bounds, Report&);
/// Holds the rows against the committed ones: no spill, lower occupancy, more sectors, conflicts or traffic, and no
/// case that is not in both.
void check_rows(const std::vector<Row>& now, const std::vector<Row>& committed, Report&);
/// Holds all kernels against the committed ones: no spill; for those in no case, whose blocks are not known, no lower
/// occupancy in blocks of 256 threads.
void check_registers(const std::vector<Registers>& now, const std::vector<Registers>& committed, Report&);

}  // namespace karyon::kernel_table
