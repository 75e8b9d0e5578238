#include "bench/kernel_table/check.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "kernels/error.h"

using namespace karyon::kernel_table;

namespace {

/// A sound kernel of one case, on two architectures.
std::vector<Row> sound() {
    Row row{.case_name = "add f32", .kernel = "add_kernel<float>", .file = "add.cu", .arch = "sm_80"};
    row.registers = 32;
    row.threads = 256;
    row.occupancy = 1;
    row.sectors_per_request = row.ideal_sectors = 16;
    row.compulsory_bytes = row.dram_bytes = row.sector_bytes = row.kernel_dram_bytes = row.kernel_sector_bytes = 1000;
    row.flops = row.profiled_flops = 100;
    std::vector<Row> rows{row, row};
    rows[1].arch = "sm_86";
    return rows;
}

std::vector<std::string> against_bounds(const std::vector<Row>& rows, const Bounds& bounds = {}) {
    Report report;
    check_bounds(rows, {}, bounds, report);
    return report.failures;
}

std::vector<std::string> against_committed(const std::vector<Row>& rows) {
    Report report;
    check_rows(rows, sound(), report);
    return report.failures;
}

template <typename Change>
std::vector<Row> changed(Change change) {
    std::vector<Row> rows = sound();
    for (Row& row : rows) change(row);
    return rows;
}

using Texts = std::vector<std::string>;

std::filesystem::path file_with(const std::string& text) {
    const auto path = std::filesystem::temp_directory_path() / "karyon_bounds_test.toml";
    std::ofstream(path) << text;
    return path;
}

}  // namespace

TEST_CASE("a sound table passes") {
    CHECK(against_bounds(sound()).empty());
    CHECK(against_committed(sound()).empty());
}

TEST_CASE("every figure has its bound") {
    const std::string start = "add f32: add_kernel<float>: ";
    CHECK(against_bounds(changed([](Row& row) { row.spill_bytes = row.arch == "sm_86" ? 8 : 0; })) ==
          Texts{start + "spill_bytes: 8 bytes are spilled on sm_86"});
    CHECK(against_bounds(changed([](Row& row) { row.bank_ways = 2.5; })) ==
          Texts{start + "bank_ways: 2.50-way bank conflicts, the bound is 2"});
    CHECK(against_bounds(changed([](Row& row) { row.sectors_per_request = 32; })) ==
          Texts{start + "sectors_per_request: 32.00 sectors a request, ideal 16.00, the bound is 1.02 times that"});
    CHECK(against_bounds(changed([](Row& row) { row.dram_bytes = 1060; })) ==
          Texts{start + "dram_bytes: 1060, 1.060 times the 1000 expected, the bound is 1.05"});
    CHECK(against_bounds(changed([](Row& row) { row.dram_bytes = 900; })).size() == 1);
    CHECK(against_bounds(changed([](Row& row) { row.sector_bytes = 1110; })).size() == 1);
    CHECK(against_bounds(changed([](Row& row) { row.profiled_flops = 94; })).size() == 1);
    CHECK(against_bounds(changed([](Row& row) { row.flops = 0; })).empty());
    CHECK(against_bounds(changed([](Row& row) { row.dram_bytes = 1500, row.partial_bytes = 500; })).empty());
    CHECK(against_bounds(changed([](Row& row) { row.profiled_flops = 200, row.tile_flops = 200; })).empty());
    CHECK(against_bounds(changed([](Row& row) { row.tile_flops = 200; })).size() == 1);
    CHECK(against_bounds(changed([](Row& row) { row.occupancy = row.arch == "sm_86" ? 0 : 1; })) ==
          Texts{start +
                "occupancy: sm_86 cannot run it: 256 threads with 32 registers and 0 bytes of shared memory a block"});
}

TEST_CASE("families and exceptions stand in a file") {
    const Bounds bounds =
        read_bounds(file_with("[[family]]\ncases = 'depthwise*'\nsector_bytes = 1.5\n"
                              "[[family]]\ncases = 'gemm*'\ntiles = true\n"
                              "[[exception]]\ncases = 'add*'\nfigure = 'bank_ways'\nreason = 'why'\n"));
    CHECK(bounds.family_of("depthwise 3x3").sector_bytes == 1.5);
    CHECK(bounds.family_of("add").sector_bytes == 1.1);
    CHECK(against_bounds(changed([](Row& row) { row.bank_ways = 4; }), bounds).empty());
    CHECK(against_bounds(sound(), bounds) ==
          Texts{"bounds.toml: the exception for bank_ways of add*, kernel *, is not needed"});

    const auto of_gemm = [&](double tile_bytes) {
        return against_bounds(changed([&](Row& row) {
                                  row.case_name = "gemm 1";
                                  row.sector_bytes = 5000;
                                  row.tile_bytes = tile_bytes;
                              }),
                              Bounds{bounds.families, {}});
    };
    CHECK(of_gemm(5000).empty());
    CHECK(of_gemm(4000).size() == 1);
    CHECK(of_gemm(0).size() == 1);

    CHECK_THROWS_AS(read_bounds(file_with("[[exception]]\nfigure = 'bank_ways'\n")), karyon::Error);
    CHECK_THROWS_AS(read_bounds(file_with("[[exception]]\nfigure = 'beauty'\nreason = 'why'\n")), karyon::Error);
    CHECK_THROWS_AS(read_bounds(file_with("[[famly]]\ncases = '*'\n")), karyon::Error);
}

TEST_CASE("nothing gets worse than the committed table") {
    const std::string start = "add f32: add_kernel<float>";
    CHECK(against_committed(changed([](Row& row) { row.spill_bytes = row.arch == "sm_86" ? 8 : 0; })) ==
          Texts{start + " on sm_86: spill_bytes was 0, is 8"});
    CHECK(against_committed(changed([](Row& row) {
              if (row.arch == "sm_86") row.occupancy = 0.75, row.registers = 48;
          })) ==
          Texts{start + " on sm_86: occupancy was 1 with 32 registers and 0 shared bytes, is 0.75 with 48 and 0"});
    CHECK(against_committed(changed([](Row& row) { row.sectors_per_request = 16.1; })).size() == 1);
    CHECK(against_committed(changed([](Row& row) { row.bank_ways = 1.5; })) ==
          Texts{start + ": bank_ways was 1, is 1.5"});
    CHECK(against_committed(changed([](Row& row) { row.kernel_dram_bytes = 1002; })) ==
          Texts{start + ": kernel_dram_bytes was 1000, is 1002"});
    CHECK(against_committed(changed([](Row& row) { row.kernel_sector_bytes = 2000; })).size() == 1);
    CHECK(against_committed({}) == Texts{start + " is in the committed table, and no more in what was built"});
    CHECK(against_committed(changed([](Row& row) { row.kernel = "other"; })).size() == 3);
    CHECK(against_committed(changed([](Row& row) { row.kernel_dram_bytes = 900, row.registers = 16; })).empty());
}

TEST_CASE("kernels that no case launches are held as well") {
    const std::vector<Registers> committed{{"add.cu", "add_kernel<float>", 0, 0, "", {{80, 32}, {86, 32}}}};
    const auto failures = [&](const Registers& now) {
        Report report;
        check_registers({now}, committed, report);
        return report.failures;
    };
    CHECK(failures(committed[0]).empty());
    CHECK(failures({"add.cu", "add_kernel<float>", 4, 0, "sm_86", {{80, 32}, {86, 32}}}) ==
          Texts{"add.cu: add_kernel<float>: 4 bytes are spilled on sm_86"});
    CHECK(failures({"add.cu", "add_kernel<float>", 0, 0, "", {{80, 40}, {86, 40}}}) ==
          Texts{"add.cu: add_kernel<float> on sm_80: 40 registers were 32: fewer blocks of 256 threads at a time"});
    CHECK(failures({"add.cu", "new_kernel", 0, 0, "", {{80, 32}}}) ==
          Texts{"add.cu: new_kernel is not in the committed list of registers"});
}

TEST_CASE("a kernel that no case launches is named, unless the list of exceptions does") {
    const std::vector<Registers> all{{"add.cu", "add_kernel<bfloat16>", 0, 0, "", {{80, 32}}},
                                     {"add.cu", "other_kernel<1>", 0, 0, "", {{80, 32}}},
                                     {"add.cu", "other_kernel<2>", 0, 0, "", {{80, 32}}}};
    Report report;
    check_bounds(sound(), all, {}, report);
    CHECK(report.failures == Texts{"add.cu: other_kernel: no network case launches it"});
    report = {};
    check_bounds(sound(), all, {{}, {{"*", "other_kernel", "case", "why"}}}, report);
    CHECK(report.failures.empty());
}

TEST_CASE("a case that was not profiled stands as it was") {
    CaseProfile add;
    add.name = "add f32";
    add.cost = {1000, 100};
    std::vector<CaseProfile> cases{add};
    complete(cases, sound());
    const std::vector<Resources> resources{
        {.kernel = "add_kernel<float>", .file = "add.cu", .arch = "sm_80", .registers = 32},
        {.kernel = "add_kernel<float>", .file = "add.cu", .arch = "sm_86", .registers = 32, .spill_bytes = 8}};
    const std::vector<Row> rows = make_rows(resources, cases);
    CHECK(against_committed(rows) == Texts{"add f32: add_kernel<float> on sm_86: spill_bytes was 0, is 8"});
    CHECK(rows[0].profiled_flops == 100);
    cases.front().name = "sub f32";
    cases.front().kernels.clear();
    CHECK_THROWS_AS(complete(cases, sound()), karyon::Error);
}

TEST_CASE("the table survives its file") {
    const auto path = std::filesystem::temp_directory_path() / "karyon_table_test.tsv";
    std::ofstream(path) << to_tsv(sound());
    CHECK(to_json(read_table(path)) == to_json(sound()));
    const std::vector<Registers> all{{"add.cu", "add_kernel<float, 4>", 4, 128, "", {{80, 32}, {120, 30}}}};
    std::ofstream(path) << to_tsv(all);
    CHECK(to_tsv(read_tsv(path)) == to_tsv(all));
    CHECK(read_tsv(path).front().of_arch == all.front().of_arch);
}
