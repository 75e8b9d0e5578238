#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

namespace karyon::kernel_table {

/// What one kernel takes on one architecture, by ptxas.
struct Resources {
    std::string kernel, file, arch;  ///< arch as `sm_80`
    int registers = 0;
    int spill_bytes = 0;   ///< stores and loads
    int stack_bytes = 0;   ///< spills, and arrays that are indexed
    int shared_bytes = 0;  ///< static
};

/// Reads what `ptxas -v` prints.
std::vector<Resources> read_ptxas_log(std::istream&);
/// Of all *.ptxas below the folder, sorted by file, kernel and architecture, each once.
std::vector<Resources> read_ptxas_logs(const std::filesystem::path& folder);

}  // namespace karyon::kernel_table
