// Runs one op at a shape of the real network, alone, so that a profile counts it and nothing else.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdio>
#include <string_view>

#include "tests/gpu/op_case.h"

int main(int argc, char** argv) {
    using namespace karyon::test;
    const std::string_view option = argc > 1 ? argv[1] : "";
    if (option == "--list" && argc == 2) {
        // Name; compulsory bytes, flops; those of the design: what the profile is held against.
        for (const auto& [name, cost, make, design] : network_cases())
            fmt::print("{}\t{:.0f}\t{:.0f}\t{:.0f}\t{:.0f}\t{:.0f}\n", name, cost.bytes, cost.flops,
                       design.sector_bytes, design.partial_bytes, design.flops);
        return 0;
    }
    if (option == "--run" && argc == 3) {
        for (const NetworkCase& item : network_cases())
            if (item.name == argv[2]) {
                run_only(item.make());
                return 0;
            }
        fmt::print(stderr, "gpu_cases: expected one of the names that --list prints, got {}\n", argv[2]);
        return 1;
    }
    fmt::print(stderr, "usage: gpu_cases --list | --run NAME\n");
    return 2;
}
