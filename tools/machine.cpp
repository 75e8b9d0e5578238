#include "tools/machine.h"

#include <fmt/format.h>
#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <oneapi/dnnl/dnnl.hpp>
#include <optional>
#include <sstream>
#include <string_view>

#include "tensor/cuda.h"

namespace karyon::tools {
namespace {

std::string text_of(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    if (file) text << file.rdbuf();
    return text.str();
}

/// The value of the first line `key : value`.
std::string value_in(const std::string& path, std::string_view key) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        const std::size_t colon = line.find(':');
        if (colon == std::string::npos || !line.starts_with(key)) continue;
        const std::size_t first = line.find_first_not_of(" \t", colon + 1);
        return first == std::string::npos ? "" : line.substr(first);
    }
    return "";
}

/// A number of bytes from "16384 kB"; 0 where it is none.
std::int64_t bytes_in(const std::string& text) { return std::atoll(text.c_str()) * 1024; }

/// The control group's number of bytes; none where there is no limit ("max").
std::optional<std::int64_t> group_bytes(const std::string& file) {
    const std::string text = text_of("/sys/fs/cgroup/" + file);
    if (text.empty() || !std::isdigit(static_cast<unsigned char>(text[0]))) return std::nullopt;
    return std::atoll(text.c_str());
}

std::string vector_isa() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("x86-64-v4")) return "AVX-512 (x86-64-v4)";
    if (__builtin_cpu_supports("x86-64-v3")) return "AVX2 + FMA (x86-64-v3)";
    return "baseline x86-64";
#else
    return "baseline";
#endif
}

std::string onednn_isa() {
    switch (dnnl::get_effective_cpu_isa()) {
        case dnnl::cpu_isa::sse41:
            return "SSE4.1";
        case dnnl::cpu_isa::avx:
            return "AVX";
        case dnnl::cpu_isa::avx2:
            return "AVX2";
        case dnnl::cpu_isa::avx512_core:
            return "AVX-512";
        case dnnl::cpu_isa::avx512_core_vnni:
            return "AVX-512 VNNI";
        case dnnl::cpu_isa::avx512_core_bf16:
            return "AVX-512 BF16";
        case dnnl::cpu_isa::avx512_core_amx:
            return "AMX";
        default:
            return fmt::format("kind {:#x}", unsigned(dnnl::get_effective_cpu_isa()));
    }
}

int usable_cores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : omp_get_num_procs();
}

std::string chosen_huge_pages() {
    const std::string text = text_of("/sys/kernel/mm/transparent_hugepage/enabled");
    const std::size_t open = text.find('['), close = text.find(']');
    return open == std::string::npos || close == std::string::npos ? "unknown"
                                                                   : text.substr(open + 1, close - open - 1);
}

std::string gpu_text(const cuda::Gpus& gpus) {
    if (gpus.devices.empty()) return "none: " + gpus.why_none;
    std::string text;
    for (std::size_t i = 0; i < gpus.devices.size(); ++i) {
        const cuda::GpuInfo& gpu = gpus.devices[i];
        text += fmt::format("{}cuda:{} {}, compute capability {}.{}, {:.1f} GiB, {} multiprocessors", i ? "; " : "", i,
                            gpu.name, gpu.major, gpu.minor, double(gpu.memory) / (1 << 30), gpu.multiprocessors);
    }
    return fmt::format("{}; driver for CUDA {}, built with {}", text, gpus.driver, gpus.runtime);
}

}  // namespace

Machine inspect_machine() {
    Machine machine;
    machine.cpu = value_in("/proc/cpuinfo", "model name");
    if (machine.cpu.empty()) machine.cpu = "unknown";
    machine.isa = vector_isa();
    machine.onednn_isa = onednn_isa();
    const dnnl_version_t* version = dnnl_version();
    machine.onednn_version = fmt::format("{}.{}.{}", version->major, version->minor, version->patch);
    machine.cores = usable_cores();
    machine.threads = omp_get_max_threads();
    machine.memory = bytes_in(value_in("/proc/meminfo", "MemTotal"));
    machine.available = bytes_in(value_in("/proc/meminfo", "MemAvailable"));
    if (const auto limit = group_bytes("memory.max"); limit && *limit < machine.memory) {
        machine.memory = *limit;
        machine.available = std::min(machine.available, *limit - group_bytes("memory.current").value_or(0));
    }
    machine.huge_pages = chosen_huge_pages();
    machine.gpu = gpu_text(cuda::gpus());
    return machine;
}

}  // namespace karyon::tools
