#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <iostream>

#include "bench/step/workload.h"
#include "tensor/allocator.h"
#include "tensor/safetensors.h"

using namespace karyon;
using namespace karyon::bench;

namespace {

double milliseconds(const std::function<void()>& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

/// The most memory that this process ever had, in MB.
double peak_mb() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return double(usage.ru_maxrss) * 1024 / 1e6;
}

/// Obeys the lines of the runner, one answer each: `run N` times N runs, `check FILE` writes the result.
void serve(Workload& workload) {
    for (std::string command; std::cin >> command;) {
        if (command == "run") {
            int count = 0;
            std::cin >> count;
            std::string times;
            for (int i = 0; i < count; ++i)
                times += fmt::format("{}{:.3f}", i ? ", " : "", milliseconds([&] { workload.run(); }));
            fmt::print("{{\"ms\": [{}], \"peak_mb\": {:.0f}}}\n", times, peak_mb());
        } else if (command == "check") {
            std::string file;
            std::cin >> file;
            const std::vector<float> result = workload.result();
            const SafetensorsItem item{"result", DType::f32, {std::int64_t(result.size())}, result.data()};
            write_safetensors(file, {&item, 1});
            fmt::print("{{}}\n");
        } else {
            throw Error("bench_step", "expected run N or check FILE, got {}", command);
        }
        std::fflush(stdout);
    }
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Runs one workload of karyon for a comparison; bench/peers/run.sh talks to it.");
    WorkloadOptions options;
    app.add_option("kind", options.kind, "write (the files that all programs read), train, infer, macenko or load")
        ->required()
        ->check(CLI::IsMember({"write", "train", "infer", "macenko", "load"}));
    app.add_option("folder", options.folder, "of the files; of load: the data set")->required();
    app.add_option("--split", options.split, "of load: text file of the names to train on");
    app.add_option("--precision", options.precision, "fp32 or bf16")->capture_default_str();
    app.add_option("--batch", options.batch, "images")->capture_default_str();
    app.add_option("--size", options.size, "pixels, of the side of an image")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    try {
        if (options.kind == "write")
            write_case(options);
        else
            serve(*make_workload(options));
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
