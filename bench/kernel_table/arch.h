#pragma once

#include <string>
#include <string_view>

namespace karyon::kernel_table {

/// 80 of `sm_80`. Throws Error for another form.
int arch_number(std::string_view arch);

/// Warps of a block that can be resident on a multiprocessor at once, over the most it holds: 0 .. 1, and 0 where the
/// architecture cannot run the kernel at all. By the calculator of the CUDA toolkit; `shared_bytes` static and dynamic
/// together. Throws Error for an architecture it is not told the limits of.
double occupancy(std::string_view arch, int registers, int threads, int shared_bytes);

}  // namespace karyon::kernel_table
