// Makes the table of the CUDA kernels from logs of ptxas and profiles of ptxcpu, and holds it against the committed
// one. tools/kernel_table.sh makes both and calls this.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>

#include "bench/kernel_table/check.h"
#include "kernels/error.h"

namespace {

using namespace karyon;
using namespace karyon::kernel_table;

struct Options {
    std::string ptxas, profiles, json, table, markdown, registers, committed;
};

void write(const std::string& path, const std::string& text) {
    std::ofstream out(path);
    if (!(out << text).flush()) throw Error(path, "expected a file that can be written, got a failure");
}

int run(const Options& options) {
    const std::vector<Resources> resources = read_ptxas_logs(options.ptxas);
    std::vector<CaseProfile> cases = read_profiles(options.profiles);
    const std::vector<Row> committed =
        options.committed.empty() ? std::vector<Row>() : read_table(options.committed + "/table.tsv");
    complete(cases, committed);
    const std::vector<Row> rows = make_rows(resources, cases);
    const std::vector<Registers> registers = registers_of(resources);
    if (!options.json.empty()) write(options.json, to_json(rows));
    if (!options.table.empty()) write(options.table, to_tsv(rows));
    if (!options.markdown.empty()) write(options.markdown, "# The kernel table\n\n" + to_markdown(rows));
    if (!options.registers.empty()) write(options.registers, to_tsv(registers));
    if (options.committed.empty()) {
        if (options.json.empty() && options.table.empty()) fmt::print("{}", to_markdown(rows));
        return 0;
    }
    Report report;
    check_bounds(rows, registers, read_bounds(options.committed + "/bounds.toml"), report);
    check_rows(rows, committed, report);
    check_registers(registers, read_tsv(options.committed + "/registers.tsv"), report);
    for (const std::string& text : report.failures) fmt::print("kernel table: {}\n", text);
    const auto failed = static_cast<int>(report.failures.size());
    fmt::print("{} passed, {} failed\n", report.checks - failed, failed);
    return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("The table of the CUDA kernels");
    Options options;
    app.add_option("--ptxas", options.ptxas, "folder with the logs of ptxas -v")->required();
    app.add_option("--profiles", options.profiles, "folder with the profiles of the cases")->required();
    app.add_option("--json", options.json, "writes the rows as JSON");
    app.add_option("--table", options.table, "writes the rows as what --check reads");
    app.add_option("--markdown", options.markdown, "writes the page");
    app.add_option("--registers", options.registers, "writes the registers of all kernels, also of those in no case");
    app.add_option("--check", options.committed,
                   "folder of the committed table and its bounds, to be held against; cases without a profile are "
                   "taken from there");
    CLI11_PARSE(app, argc, argv);
    try {
        return run(options);
    } catch (const std::exception& failure) {
        fmt::print(stderr, "{}\n", failure.what());
        return 1;
    }
}
