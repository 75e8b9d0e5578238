#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kernels/types.h"

namespace karyon::kernel_table {

/// One kernel of a case as ptxcpu's profile counted it, over all its launches.
struct KernelProfile {
    std::string kernel, file;
    int threads = 0;                                      ///< of a block
    int shared_bytes = 0;                                 ///< of a block, static and dynamic
    double requests = 0, sectors = 0, ideal_sectors = 0;  ///< of global memory: loads, stores and atomics of warps
    double bank_ways = 1;     ///< shared wavefronts over the least possible, on the worst source line
    double dram_bytes = 0;    ///< with an infinite cache that is empty before each launch
    double sector_bytes = 0;  ///< with no cache
    double flops = 0;
};

/// A case of `gpu_cases --list`, and what its run counted.
struct CaseProfile {
    std::string name;
    kernels::Cost cost;
    double tile_bytes = 0;     ///< traffic without a cache that the case says its tiles explain; 0: nothing said
    double partial_bytes = 0;  ///< partial sums between its kernels, written and read
    double tile_flops = 0;     ///< all that its tiles compute; 0: those of cost()
    std::vector<KernelProfile> kernels;  ///< none where the case was not profiled
};

/// Reads the profile that ptxcpu wrote, and what it printed with PTXCPU_VERBOSE=1, which alone names the launches.
std::vector<KernelProfile> read_profile(const std::filesystem::path& json, const std::filesystem::path& launches);

/// All cases of a folder: `list` as `gpu_cases --list` prints it; N.json and N.txt of its Nth line, from 1,
/// where it was profiled.
std::vector<CaseProfile> read_profiles(const std::filesystem::path& folder);

}  // namespace karyon::kernel_table
