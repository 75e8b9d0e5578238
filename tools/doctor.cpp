#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "tools/command.h"
#include "tools/machine.h"

namespace karyon::tools {
namespace {

constexpr double gib = 1024.0 * 1024 * 1024;
/// What a training step of B4 at batch 8 needs, with the images beside it.
constexpr double training_memory = 4 * gib;

struct Options {
    int threads = 0;
    bool json = false;
};

constexpr const char* example = R"(Example:
  karyon doctor --json

Says what karyon found on this machine, and what would make it slow or make it fail.)";

std::vector<std::string> findings(const Machine& machine) {
    std::vector<std::string> result;
    if (machine.threads > machine.cores)
        result.push_back(fmt::format("{} threads on {} cores wait for each other: use --threads {}", machine.threads,
                                     machine.cores, machine.cores));
    if (double(machine.available) < training_memory)
        result.push_back(
            fmt::format("{:.1f} GiB are free, training the B4 network at batch 8 needs about {:.0f}: use a "
                        "smaller --batch, or --preset fast",
                        double(machine.available) / gib, training_memory / gib));
    if (machine.isa.starts_with("baseline")) result.push_back("the CPU has no AVX2: expect a tenth of the usual speed");
    if (machine.huge_pages == "never")
        result.push_back(
            "transparent huge pages are off: 'echo madvise' into "
            "/sys/kernel/mm/transparent_hugepage/enabled makes memory faster");
    return result;
}

void run(const Options& options) {
    use_threads(options.threads);
    const Machine machine = inspect_machine();
    const std::vector<std::string> found = findings(machine);
    if (options.json) {
        const nlohmann::ordered_json json = {{"version", KARYON_VERSION},
                                             {"cpu", machine.cpu},
                                             {"isa", machine.isa},
                                             {"onednn", machine.onednn_version},
                                             {"onednn_isa", machine.onednn_isa},
                                             {"cores", machine.cores},
                                             {"threads", machine.threads},
                                             {"memory_bytes", machine.memory},
                                             {"available_bytes", machine.available},
                                             {"huge_pages", machine.huge_pages},
                                             {"gpu", machine.gpu},
                                             {"findings", found}};
        fmt::print("{}\n", json.dump(2));
        return;
    }
    const auto row = [](const char* what, const std::string& value) { fmt::print("{:<12}{}\n", what, value); };
    row("karyon", KARYON_VERSION);
    row("CPU", machine.cpu);
    row("vectors", machine.isa);
    row("oneDNN", fmt::format("{}, using {}", machine.onednn_version, machine.onednn_isa));
    row("cores", fmt::format("{}, {} threads", machine.cores, machine.threads));
    row("memory",
        fmt::format("{:.1f} GiB, {:.1f} free", double(machine.memory) / gib, double(machine.available) / gib));
    row("huge pages", machine.huge_pages);
    row("GPU", machine.gpu);
    for (const std::string& finding : found) fmt::print("! {}\n", finding);
    if (found.empty()) fmt::print("nothing to complain about\n");
}

}  // namespace

void add_doctor(CLI::App& app) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("doctor", "Show what karyon runs on, and what is amiss");
    command->footer(example);
    add_threads(*command, options->threads);
    add_json(*command, options->json);
    command->callback([options] { run(*options); });
}

}  // namespace karyon::tools
