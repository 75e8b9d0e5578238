#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "bench/kernel_table/arch.h"
#include "bench/kernel_table/kernel_name.h"
#include "bench/kernel_table/registers.h"
#include "kernels/error.h"
#include "tests/tensor/temporary_folder.h"

using namespace karyon::kernel_table;

namespace {

constexpr const char* add =
    "_ZN6karyon7kernels3gpu38_GLOBAL__N__5825fc2e_6_add_cu_e3d944e610add_kernelINS_8bfloat16EEEvlbPKT_S7_PS5_";

}  // namespace

TEST_CASE("a kernel's name is short, and its file is known") {
    CHECK(kernel_name(add) == "add_kernel<bfloat16>");
    CHECK(source_file(add) == "add.cu");
    CHECK(kernel_name("_Z6spillsPKfPf") == "spills");
    CHECK(source_file("_Z6spillsPKfPf").empty());
    CHECK(kernel_name("not_mangled") == "not_mangled");
}

TEST_CASE("registers, spills and shared memory are read from what ptxas -v prints") {
    std::istringstream log(
        "ptxas info    : 0 bytes gmem\n"
        "ptxas info    : Compiling entry function '_Z6spillsPKfPf' for 'sm_80'\n"
        "ptxas info    : Function properties for _Z6spillsPKfPf\n"
        "    320 bytes stack frame, 356 bytes spill stores, 348 bytes spill loads\n"
        "ptxas info    : Used 24 registers, used 1 barriers, 320 bytes cumulative stack size, 6144 bytes smem, 368 "
        "bytes "
        "cmem[0]\n"
        "ptxas info    : Compile time = 76.686 ms\n"
        "ptxas info    : Compiling entry function '_Z6spillsPKfPf' for 'sm_120'\n"
        "    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n"
        "ptxas info    : Used 70 registers, 368 bytes cmem[0]\n");
    const std::vector<Resources> all = read_ptxas_log(log);
    REQUIRE(all.size() == 2);
    CHECK(all[0].arch == "sm_80");
    CHECK(all[0].registers == 24);
    CHECK(all[0].spill_bytes == 704);
    CHECK(all[0].stack_bytes == 320);
    CHECK(all[0].shared_bytes == 6144);
    CHECK(all[1].arch == "sm_120");
    CHECK(all[1].registers == 70);
    CHECK(all[1].spill_bytes == 0);
    CHECK(all[1].shared_bytes == 0);

    const std::vector<Registers> kernels = registers_of(all);
    REQUIRE(kernels.size() == 1);
    CHECK(kernels[0].spill_bytes == 704);
    CHECK(kernels[0].of_arch == std::map<int, int>{{80, 24}, {120, 70}});
}

TEST_CASE("a kernel of a header that two sources use counts once") {
    const TemporaryFolder folder;
    std::filesystem::create_directory(folder / "deeper");
    for (const char* name : {"b.ptxas", "deeper/a.ptxas"})
        std::ofstream(folder / name) << "ptxas info    : Compiling entry function '_Z6sharedPKfPf' for 'sm_90'\n"
                                        "ptxas info    : Used 24 registers, 368 bytes cmem[0]\n"
                                        "ptxas info    : Compiling entry function '_Z6sharedPKfPf' for 'sm_80'\n"
                                        "ptxas info    : Used 26 registers, 368 bytes cmem[0]\n";
    const std::vector<Resources> all = read_ptxas_logs(folder.path());
    REQUIRE(all.size() == 2);
    CHECK(all[0].arch == "sm_80");
    CHECK(all[0].registers == 26);
    CHECK(all[1].arch == "sm_90");
}

TEST_CASE("occupancy by threads, registers, shared memory and blocks") {
    CHECK(occupancy("sm_80", 32, 256, 0) == 1);
    CHECK(occupancy("sm_80", 33, 256, 0) == 0.75);  // 40 a thread are taken: 6 blocks of 10240
    CHECK(occupancy("sm_80", 64, 256, 0) == 0.5);
    CHECK(occupancy("sm_80", 255, 256, 0) == 0.125);
    CHECK(occupancy("sm_86", 40, 256, 0) == 1);   // 48 warps are all it holds
    CHECK(occupancy("sm_80", 32, 32, 0) == 0.5);  // 32 blocks at most
    CHECK(occupancy("sm_86", 32, 32, 0) == doctest::Approx(16.0 / 48));
    CHECK(occupancy("sm_89", 32, 32, 0) == 0.5);
    // A KiB of each block's shared memory is reserved.
    CHECK(occupancy("sm_80", 32, 256, 48 << 10) == doctest::Approx(3 * 8 / 64.0));
    CHECK(occupancy("sm_90", 32, 256, 227 << 10) == 0.125);
    CHECK(occupancy("sm_100", 32, 256, 227 << 10) == 0.125);
    CHECK(occupancy("sm_120", 32, 256, 99 << 10) == doctest::Approx(8.0 / 48));
    for (const char* small : {"sm_86", "sm_89", "sm_120"}) CHECK(occupancy(small, 32, 256, 100 << 10) == 0);
    CHECK_THROWS_WITH_AS(occupancy("sm_75", 32, 256, 0),
                         "[kernel table] expected an architecture whose limits are known, got sm_75", karyon::Error);
}
