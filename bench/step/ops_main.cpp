#include <benchmark/benchmark.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>

#include "bench/step/op_results.h"
#include "bench/step/op_runner.h"

using namespace karyon;
using namespace karyon::bench;

namespace {

constexpr int repetitions = 9;

std::vector<OpCase> all_cases() {
    std::vector<OpCase> all;
    for (const auto cases :
         {dense_cases, depthwise_cases, norm_cases, excite_cases, elementwise_cases, loss_and_optimizer_cases})
        for (OpCase& op : cases()) all.push_back(std::move(op));
    return all;
}

/// Of the last minute; above the number of threads neighbours took part of the time.
double load_average() {
    double minutes[1] = {0};
    getloadavg(minutes, 1);
    return minutes[0];
}

/// One at a time: the buffers of an op are freed when the next one begins.
class Suite {
  public:
    Suite() {
        for (OpCase& op : all_cases()) results_.push_back({std::move(op), 0, {}, {}, {}});
        for (OpResult& result : results_)
            benchmark::RegisterBenchmark(result.op.name().c_str(), [&](benchmark::State& state) { run(state, result); })
                ->UseManualTime()
                ->Iterations(1)
                ->Repetitions(repetitions);
    }

    void finish(const std::string& file) {
        runner_.reset();
        ceilings_.measure();
        std::vector<OpResult> timed;
        for (const OpResult& result : results_)
            if (!result.ours.values.empty()) timed.push_back(result);
        std::cout << header_line();
        for (const OpResult& result : timed) std::cout << result.line(ceilings_);
        auto json = json_of(timed, ceilings_);
        json["load"] = {load_at_start_, load_average()};
        std::cout << json["ceilings"].dump(1) << json["line_round_trip_ns"] << '\n';
        if (file.empty()) return;
        std::ofstream out(file);
        if (!(out << json.dump(1) << '\n').flush())
            throw Error(file, "expected a file that can be written, got a failure");
    }

  private:
    void run(benchmark::State& state, OpResult& result) {
        if (running_ != &result) {
            runner_.reset();
            result.round = ceilings_.measure();
            runner_ = std::make_unique<OpRunner>(result.op);
            running_ = &result;
        }
        for ([[maybe_unused]] const auto step : state) {
            result.ours.values.push_back(runner_->ours());
            state.SetIterationTime(result.ours.values.back());
            if (!runner_->has_onednn()) continue;
            result.onednn.values.push_back(runner_->onednn());
            result.ratio.values.push_back(result.onednn.values.back() / result.ours.values.back());
        }
    }

    std::vector<OpResult> results_;
    Ceilings ceilings_;
    std::unique_ptr<OpRunner> runner_;
    const OpResult* running_ = nullptr;
    double load_at_start_ = load_average();
};

/// Says what has been done, for the table comes at the end, when the ceilings are known.
class Progress final : public benchmark::BenchmarkReporter {
  public:
    bool ReportContext(const Context&) override { return true; }
    void ReportRuns(const std::vector<Run>& runs) override {
        for (const Run& run : runs)
            if (run.run_type == Run::RT_Aggregate && run.aggregate_name == "median")
                fmt::print(stderr, "{:70} {:9.3f} ms\n", run.run_name.function_name, run.GetAdjustedRealTime() * 1e-6);
    }
};

}  // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    CLI::App app(
        "Times each op of the network on the CPU against what the machine can do, and convolutions against\n"
        "oneDNN. Options of Google Benchmark are understood, such as --benchmark_filter=REGEX.");
    std::string file;
    app.add_option("--json", file, "file for the table");
    CLI11_PARSE(app, argc, argv);
    try {
        Suite suite;
        Progress progress;
        benchmark::RunSpecifiedBenchmarks(&progress);
        suite.finish(file);
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
