#include "bench/kernel_table/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "bench/kernel_table/arch.h"

namespace karyon::kernel_table {
namespace {

constexpr double rounding = 1.0005;  ///< figures are kept with four decimals
constexpr int usual_block = 256;

template <typename... Args>
void expect(Report& report, bool holds, fmt::format_string<Args...> text, Args&&... args) {
    ++report.checks;
    if (!holds) report.failures.push_back(fmt::format(text, std::forward<Args>(args)...));
}

/// Of rows that differ in the architecture alone, the first speaks for what the profile counted.
bool is_first_of_kernel(const std::vector<Row>& rows, std::size_t i) {
    return i == 0 || std::tie(rows[i].case_name, rows[i].kernel, rows[i].file) !=
                         std::tie(rows[i - 1].case_name, rows[i - 1].kernel, rows[i - 1].file);
}
bool is_first_of_case(const std::vector<Row>& rows, std::size_t i) {
    return i == 0 || rows[i].case_name != rows[i - 1].case_name;
}

/// A template's name.
std::string without_arguments(const std::string& kernel) { return kernel.substr(0, kernel.find('<')); }

class BoundsCheck {
  public:
    BoundsCheck(Bounds& bounds, Report& report) : bounds_(bounds), report_(report) {}

    void per_architecture(const Row& row) {
        hold(row, "spill_bytes", row.spill_bytes == 0,
             fmt::format("{} bytes are spilled on {}", row.spill_bytes, row.arch));
        hold(row, "stack_bytes", row.stack_bytes == 0,
             fmt::format("{} bytes of local memory a thread on {}", row.stack_bytes, row.arch));
        hold(row, "occupancy", row.occupancy > 0,
             fmt::format("{} cannot run it: {} threads with {} registers and {} bytes of shared memory a block",
                         row.arch, row.threads, row.registers, row.shared_bytes));
    }
    void per_kernel(const Row& row) {
        hold(row, "bank_ways", row.bank_ways <= most_bank_ways,
             fmt::format("{:.2f}-way bank conflicts, the bound is {}", row.bank_ways, most_bank_ways));
        hold(row, "sectors_per_request", row.sectors_per_request <= most_sectors * row.ideal_sectors,
             fmt::format("{:.2f} sectors a request, ideal {:.2f}, the bound is {} times that", row.sectors_per_request,
                         row.ideal_sectors, most_sectors));
    }
    void per_case(const Row& row) {
        hold_ratio(row, "dram_bytes", row.dram_bytes, row.compulsory_bytes + row.partial_bytes, most_dram_bytes, true);
        const double flops = row.tile_flops > 0 ? row.tile_flops : row.flops;
        if (flops > 0) hold_ratio(row, "flops", row.profiled_flops, flops, most_flops, true);
        const Bounds::Family family = bounds_.family_of(row.case_name);
        if (family.tiles)
            hold(row, "sector_bytes", row.tile_bytes > 0, "the case does not state the bytes that its tiles explain");
        hold_ratio(row, "sector_bytes", row.sector_bytes, family.tiles ? row.tile_bytes : row.compulsory_bytes,
                   family.sector_bytes, false);
    }

  private:
    void hold(const Row& row, const char* figure, bool holds, const std::string& text) {
        ++report_.checks;
        if (holds || bounds_.excused(row.case_name, row.kernel, figure)) return;
        report_.failures.push_back(fmt::format("{}: {}: {}: {}", row.case_name, row.kernel, figure, text));
    }
    void hold_ratio(const Row& row, const char* figure, double got, double expected, double most, bool least) {
        const double ratio = expected > 0 ? got / expected : 0;
        hold(row, figure, ratio <= most * rounding && (!least || ratio * most * rounding >= 1),
             fmt::format("{:.0f}, {:.3f} times the {:.0f} expected, the bound is {}", got, ratio, expected, most));
    }

    Bounds& bounds_;
    Report& report_;
};

void compare(const Row& now, const Row& was, Report& report) {
    const auto no_more = [&](const char* figure, double is, double before) {
        expect(report, is <= before * rounding, "{}: {}: {} was {}, is {}", now.case_name, now.kernel, figure, before,
               is);
    };
    no_more("sectors_per_request / ideal_sectors", now.sectors_per_request / std::max(now.ideal_sectors, 1.0),
            was.sectors_per_request / std::max(was.ideal_sectors, 1.0));
    no_more("bank_ways", now.bank_ways, was.bank_ways);
    no_more("kernel_dram_bytes", now.kernel_dram_bytes, was.kernel_dram_bytes);
    no_more("kernel_sector_bytes", now.kernel_sector_bytes, was.kernel_sector_bytes);
}

}  // namespace

void check_bounds(const std::vector<Row>& rows, const std::vector<Registers>& all, Bounds bounds, Report& report) {
    BoundsCheck check(bounds, report);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        check.per_architecture(rows[i]);
        if (is_first_of_kernel(rows, i)) check.per_kernel(rows[i]);
        if (is_first_of_case(rows, i)) check.per_case(rows[i]);
    }
    std::set<std::pair<std::string, std::string>> seen;
    for (const Registers& item : all) {
        const std::string name = without_arguments(item.kernel);
        if (!seen.insert({item.file, name}).second) continue;
        const bool launched = std::any_of(rows.begin(), rows.end(), [&](const Row& row) {
            return row.file == item.file && without_arguments(row.kernel) == name;
        });
        expect(report, launched || bounds.excused("", name, "case"), "{}: {}: no network case launches it", item.file,
               name);
    }
    for (const Bounds::Exception& item : bounds.exceptions)
        expect(report, item.used, "bounds.toml: the exception for {} of {}, kernel {}, is not needed", item.figure,
               item.cases, item.kernel);
}

void check_rows(const std::vector<Row>& now, const std::vector<Row>& committed, Report& report) {
    const auto same = [](const Row& a) {
        return [&a](const Row& b) {
            return std::tie(a.case_name, a.kernel, a.file, a.arch) == std::tie(b.case_name, b.kernel, b.file, b.arch);
        };
    };
    for (std::size_t i = 0; i < now.size(); ++i) {
        const Row& row = now[i];
        const auto was = std::find_if(committed.begin(), committed.end(), same(row));
        expect(report, was != committed.end(), "{}: {} on {} is not in the committed table", row.case_name, row.kernel,
               row.arch);
        if (was == committed.end()) continue;
        expect(report, row.spill_bytes <= was->spill_bytes, "{}: {} on {}: spill_bytes was {}, is {}", row.case_name,
               row.kernel, row.arch, was->spill_bytes, row.spill_bytes);
        expect(report, row.occupancy * rounding >= was->occupancy,
               "{}: {} on {}: occupancy was {} with {} registers and {} shared bytes, is {} with {} and {}",
               row.case_name, row.kernel, row.arch, was->occupancy, was->registers, was->shared_bytes, row.occupancy,
               row.registers, row.shared_bytes);
        if (is_first_of_kernel(now, i)) compare(row, *was, report);
    }
    for (std::size_t i = 0; i < committed.size(); ++i)
        if (is_first_of_kernel(committed, i))
            expect(report, std::any_of(now.begin(), now.end(), same(committed[i])),
                   "{}: {} is in the committed table, and no more in what was built", committed[i].case_name,
                   committed[i].kernel);
}

void check_registers(const std::vector<Registers>& now, const std::vector<Registers>& committed, Report& report) {
    for (const Registers& item : now) {
        const auto was = std::find_if(committed.begin(), committed.end(), [&](const Registers& other) {
            return std::tie(item.file, item.kernel) == std::tie(other.file, other.kernel);
        });
        expect(report, item.spill_bytes == 0, "{}: {}: {} bytes are spilled on {}", item.file, item.kernel,
               item.spill_bytes, item.spills_on);
        expect(report, was != committed.end(), "{}: {} is not in the committed list of registers", item.file,
               item.kernel);
        if (was == committed.end()) continue;
        for (const auto& [arch, count] : item.of_arch) {
            const auto before = was->of_arch.find(arch);
            if (before == was->of_arch.end()) continue;
            const auto of = [&](int registers, int shared_bytes) {
                return occupancy(fmt::format("sm_{}", arch), registers, usual_block, shared_bytes);
            };
            expect(report, of(count, item.shared_bytes) >= of(before->second, was->shared_bytes),
                   "{}: {} on sm_{}: {} registers were {}: fewer blocks of {} threads at a time", item.file,
                   item.kernel, arch, count, before->second, usual_block);
        }
    }
}

}  // namespace karyon::kernel_table
