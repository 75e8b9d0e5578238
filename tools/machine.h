#pragma once

#include <cstdint>
#include <string>

namespace karyon::tools {

/// What the program runs on.
struct Machine {
    std::string cpu;             ///< the model's name
    std::string isa;             ///< the widest vector instructions that our own code uses on it
    std::string onednn_isa;      ///< those that oneDNN uses
    std::string onednn_version;  ///< of the library that is loaded
    int cores = 0;               ///< that this process may use
    int threads = 0;             ///< that a parallel region starts
    std::int64_t memory = 0;     ///< bytes that this process may use: of the machine, or the container's limit
    std::int64_t available = 0;  ///< bytes of it that are free, or can be freed
    std::string huge_pages;      ///< of the kernel: "always", "madvise", "never"
    std::string gpu;             ///< or why there is none
};

Machine inspect_machine();

}  // namespace karyon::tools
