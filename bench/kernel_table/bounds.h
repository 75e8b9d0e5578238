#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace karyon::kernel_table {

/// What no figure of the table may pass.
inline constexpr double most_bank_ways = 2;
inline constexpr double most_sectors = 1.02;      ///< sectors of a request over the ideal
inline constexpr double most_dram_bytes = 1.05;   ///< over the compulsory bytes and partial sums; 1 over it at least
inline constexpr double most_flops = 1.05;        ///< over those of cost(), or of the tiles; 1 over it at least
inline constexpr double most_sector_bytes = 1.1;  ///< over the compulsory bytes, or what the tiles explain

/// What docs/kernels/bounds.toml says about single cases.
struct Bounds {
    /// Cases whose traffic without a cache has a bound of its own.
    struct Family {
        std::string cases;  ///< a pattern with * and ?
        double sector_bytes = most_sector_bytes;
        bool tiles = false;  ///< each of the cases states the bytes that its tiles explain, and these are the measure
    };
    /// A figure that may pass its bound, and why; the committed table holds it all the same.
    struct Exception {
        std::string cases, kernel, figure, reason;  ///< cases and kernel are patterns
        bool used = false;
    };

    std::vector<Family> families;  ///< the first whose pattern fits holds
    std::vector<Exception> exceptions;

    Family family_of(const std::string& case_name) const;
    /// Whether an exception fits; marks it as used.
    bool excused(const std::string& case_name, const std::string& kernel, const std::string& figure);
};

/// Throws Error on a key or a figure that is none, and on an exception without a reason.
Bounds read_bounds(const std::filesystem::path&);

}  // namespace karyon::kernel_table
