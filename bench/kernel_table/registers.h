#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "bench/kernel_table/resources.h"

namespace karyon::kernel_table {

/// One kernel, in a case or not, on all architectures.
struct Registers {
    std::string file, kernel;
    int spill_bytes = 0, shared_bytes = 0;  ///< the most of all architectures; shared: static
    std::string spills_on{};                ///< architectures, as `sm_80 sm_86`; not kept in files
    std::map<int, int> of_arch{};           ///< registers of a thread, by 80, 86, ...
};

/// `sorted` as read_ptxas_logs leaves it.
std::vector<Registers> registers_of(const std::vector<Resources>& sorted);

/// One kernel on a line, fields separated by tabs, under a line of titles.
std::string to_tsv(const std::vector<Registers>&);
std::vector<Registers> read_tsv(const std::filesystem::path&);

}  // namespace karyon::kernel_table
