#include "bench/kernel_table/profile.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "bench/kernel_table/kernel_name.h"

namespace karyon::kernel_table {
namespace {

using nlohmann::json;

/// ptxcpu's own way to cut long names in what it prints.
std::string cut(const std::string& name) {
    return name.size() <= 180 ? name : name.substr(0, 120) + "..." + name.substr(name.size() - 50);
}

struct Launch {
    std::string name;
    int threads, shared_bytes;
};

std::vector<Launch> read_launches(const std::filesystem::path& path) {
    static const std::regex form(
        "^ptxcpu: (.*) grid \\([0-9,]+\\) block \\(([0-9]+),([0-9]+),([0-9]+)\\) shared ([0-9]+): ");
    std::vector<Launch> launches;
    std::ifstream in(path);
    std::smatch match;
    for (std::string line; std::getline(in, line);)
        if (std::regex_search(line, match, form))
            launches.push_back(
                {match[1], std::stoi(match[2]) * std::stoi(match[3]) * std::stoi(match[4]), std::stoi(match[5])});
    return launches;
}

KernelProfile from_json(const json& kernel) {
    const json& memory = kernel.at("memory");
    const auto count = [&](const char* key) { return memory.at(key).get<double>(); };
    const std::string mangled = kernel.at("mangled");
    KernelProfile profile{.kernel = kernel_name(mangled), .file = source_file(mangled)};
    for (const std::string access : {"load", "store", "atomic"}) {
        profile.requests += count((access + "_requests").c_str());
        profile.sectors += count((access + "_sectors").c_str());
        profile.ideal_sectors += count((access + "_sectors_ideal").c_str());
    }
    profile.dram_bytes = count("compulsory_dram_bytes");
    profile.sector_bytes = count("sector_bytes_total");
    for (const auto& [type, flops] : kernel.at("flops").items()) profile.flops += flops.get<double>();
    for (const json& line : kernel.at("lines"))
        if (line.value("shared_wavefronts_ideal", 0.0) > 0)
            profile.bank_ways = std::max(profile.bank_ways, line.at("shared_wavefronts").get<double>() /
                                                                line.at("shared_wavefronts_ideal").get<double>());
    return profile;
}

}  // namespace

std::vector<KernelProfile> read_profile(const std::filesystem::path& path, const std::filesystem::path& launches) {
    std::ifstream in(path);
    if (!in) throw Error(path.string(), "expected a profile of ptxcpu, got no such file");
    const std::vector<Launch> launched = read_launches(launches);
    std::vector<KernelProfile> kernels;
    const json profile = json::parse(in);
    for (const json& kernel : profile.at("kernels")) {
        kernels.push_back(from_json(kernel));
        const std::string name = cut(kernel.at("name"));
        for (const Launch& launch : launched) {
            if (launch.name != name) continue;
            kernels.back().threads = std::max(kernels.back().threads, launch.threads);
            kernels.back().shared_bytes = std::max(kernels.back().shared_bytes, launch.shared_bytes);
        }
        if (kernels.back().threads == 0)
            throw Error(launches.string(), "expected a line about the launch of {}, got none", name);
    }
    std::sort(kernels.begin(), kernels.end(), [](const auto& a, const auto& b) {
        return std::tuple(-a.sector_bytes, a.kernel) < std::tuple(-b.sector_bytes, b.kernel);
    });
    return kernels;
}

std::vector<CaseProfile> read_profiles(const std::filesystem::path& folder) {
    std::ifstream in(folder / "list");
    if (!in) throw Error((folder / "list").string(), "expected what gpu_cases --list prints, got no such file");
    std::vector<CaseProfile> cases;
    for (std::string line; std::getline(in, line);) {
        std::istringstream fields(line);
        CaseProfile item;
        std::getline(fields, item.name, '\t');
        fields >> item.cost.bytes >> item.cost.flops >> item.tile_bytes >> item.partial_bytes >> item.tile_flops;
        if (!fields) throw Error((folder / "list").string(), "expected a name and five numbers, got {}", line);
        const std::string number = std::to_string(cases.size() + 1);
        if (exists(folder / (number + ".json")))
            item.kernels = read_profile(folder / (number + ".json"), folder / (number + ".txt"));
        cases.push_back(std::move(item));
    }
    return cases;
}

}  // namespace karyon::kernel_table
