// Runs one block at a shape of the real network, fused or of single ops, so that a profile counts it and nothing else.
#include <fmt/format.h>

#include <string_view>

#include "tests/gpu/network/blocks.h"

namespace {

using namespace karyon;
using namespace karyon::test;

struct Block {
    const char* name;
    Size size;
    MBConvSize channels;
    double expanded_bytes() const { return 2.0 * size.batch * size.height * size.width * channels.expanded; }
};

constexpr Block blocks[] = {{"MBConv 24-144-24 5x5 at 2x64x64", {2, 64, 64}, {24, 144, 6, 24, 5, 1}},
                            {"MBConv 160-960-160 5x5 at 16x16x16", {16, 16, 16}, {160, 960, 40, 160, 5, 1}}};

/// Calls each(name, block, fused, with_backward). The way back cannot run without the way there: it is the difference.
template <typename Each>
void for_each_case(Each each) {
    for (const Block& block : blocks)
        for (const bool fused : {true, false})
            for (const bool both : {false, true})
                each(fmt::format("{}\t{}\t{}", block.name, fused ? "fused" : "single ops", both ? "both" : "forward"),
                     block, fused, both);
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view option = argc > 1 ? argv[1] : "";
    if (option == "--list" && argc == 2) {
        for_each_case([](const std::string& name, const Block& block, bool, bool) {
            fmt::print("{}\t{:.0f}\n", name, block.expanded_bytes());
        });
        return 0;
    }
    if (option == "--run" && argc == 3) {
        int number = 0;
        for_each_case([&](const std::string&, const Block& block, bool fused, bool both) {
            if (std::to_string(++number) != argv[2]) return;
            Run run({Device::Kind::cuda, 0}, DType::bf16, true);
            run.finish(inverted_bottleneck(block.size, block.channels, false)(run, fused), both);
        });
        return 0;
    }
    fmt::print(stderr, "usage: block_cases --list | --run NUMBER\n");
    return 2;
}
