#pragma once

#include <string>
#include <string_view>

namespace karyon::kernel_table {

/// A kernel as the table calls it, from the name in PTX and SASS: without return type, parameters and the project's own
/// namespaces, `add_kernel<bfloat16>`.
std::string kernel_name(std::string_view mangled);

/// The CUDA source, `add.cu`, which the compiler writes into names of anonymous namespaces; else empty.
std::string source_file(std::string_view mangled);

/// Every occurrence of `from` replaced.
std::string replaced(std::string text, std::string_view from, std::string_view to);

}  // namespace karyon::kernel_table
