#include "bench/kernel_table/registers.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "bench/kernel_table/arch.h"
#include "kernels/error.h"

namespace karyon::kernel_table {
namespace {

std::vector<std::string> fields_of(const std::string& line) {
    std::vector<std::string> fields;
    std::istringstream split(line);
    for (std::string field; std::getline(split, field, '\t');) fields.push_back(field);
    return fields;
}

}  // namespace

std::vector<Registers> registers_of(const std::vector<Resources>& sorted) {
    std::vector<Registers> all;
    for (const Resources& takes : sorted) {
        if (all.empty() || all.back().file != takes.file || all.back().kernel != takes.kernel)
            all.push_back({.file = takes.file, .kernel = takes.kernel});
        all.back().spill_bytes = std::max(all.back().spill_bytes, takes.spill_bytes);
        all.back().shared_bytes = std::max(all.back().shared_bytes, takes.shared_bytes);
        if (takes.spill_bytes > 0) all.back().spills_on += (all.back().spills_on.empty() ? "" : " ") + takes.arch;
        all.back().of_arch[arch_number(takes.arch)] = takes.registers;
    }
    return all;
}

std::string to_tsv(const std::vector<Registers>& all) {
    std::string text = "file\tkernel\tspill bytes\tshared bytes";
    if (!all.empty())
        for (const auto& [arch, count] : all.front().of_arch) text += fmt::format("\tsm_{}", arch);
    text += '\n';
    for (const Registers& item : all) {
        text += fmt::format("{}\t{}\t{}\t{}", item.file, item.kernel, item.spill_bytes, item.shared_bytes);
        for (const auto& [arch, count] : item.of_arch) text += fmt::format("\t{}", count);
        text += '\n';
    }
    return text;
}

std::vector<Registers> read_tsv(const std::filesystem::path& path) {
    std::ifstream in(path);
    std::string line;
    if (!std::getline(in, line)) throw Error(path.string(), "expected a table of registers, got nothing");
    const std::vector<std::string> titles = fields_of(line);
    std::vector<Registers> all;
    while (std::getline(in, line)) {
        const std::vector<std::string> fields = fields_of(line);
        if (fields.size() != titles.size() || fields.size() < 4)
            throw Error(path.string(), "expected {} fields, got {} in: {}", titles.size(), fields.size(), line);
        all.push_back({fields[0], fields[1], std::stoi(fields[2]), std::stoi(fields[3])});
        for (std::size_t i = 4; i < fields.size(); ++i)
            all.back().of_arch[arch_number(titles[i])] = std::stoi(fields[i]);
    }
    return all;
}

}  // namespace karyon::kernel_table
