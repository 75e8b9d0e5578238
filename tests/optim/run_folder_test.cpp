#include "optim/run_folder.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "kernels/error.h"
#include "optim/trainer.h"

using namespace karyon;
namespace fs = std::filesystem;

namespace {

struct ScratchFolder {
    fs::path path = fs::temp_directory_path() / ("karyon-run-" + std::to_string(::getpid()));
    ScratchFolder() { fs::remove_all(path), fs::create_directories(path); }
    ~ScratchFolder() { fs::remove_all(path); }
};

std::string text_of(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

StepRecord step_record(std::int64_t step, float loss) {
    StepRecord record;
    record.step = step, record.epoch = double(step) / 20, record.loss = loss;
    return record;
}

}  // namespace

TEST_CASE("a run folder keeps its config and metrics, and draws its curves") {
    const ScratchFolder scratch;
    RunFolder run(scratch.path / "a" / "run", false);
    CHECK(!fs::exists(run.path()));
    run.start(preset("fast"), 0);
    TrainConfig read;
    read_config(read, run.config());
    CHECK(to_toml(read) == to_toml(preset("fast")));
    CHECK(preset_named_in(run.config()) == "fast");

    run.append(step_record(10, 0.9f));
    run.append(step_record(20, 0.7f));
    ValidationRecord validation;
    validation.step = 20, validation.epoch = 1, validation.scores.mean_dice = 0.5;
    validation.scores.pooled_dice = NAN;
    run.append(validation);
    const TrainingHistory history = read_history(run.metrics());
    REQUIRE(history.train_loss.size() == 2);
    CHECK(history.train_loss[0].x == 0.5);
    CHECK(history.train_loss[0].y == doctest::Approx(0.9));
    REQUIRE(history.validation_dice.size() == 1);
    CHECK(history.validation_dice[0].x == 1);
    CHECK(history.validation_dice[0].y == 0.5);
    CHECK(history.validation_pooled_dice.empty());
    CHECK(fs::file_size(run.curves()) > 1000);
}

TEST_CASE("a run with a checkpoint is neither overwritten nor resumed without one") {
    const ScratchFolder scratch;
    const fs::path path = scratch.path / "run";
    CHECK_THROWS_WITH_AS(
        RunFolder(path, true),
        ("[" + path.string() + "] expected last.safetensors to resume from, got none: train without --resume").c_str(),
        Error);
    RunFolder(path, false).start(preset("fast"), 0);
    CHECK_NOTHROW(RunFolder(path, false));  // it was killed before its first checkpoint
    std::ofstream(path / "last.safetensors") << "weights";
    CHECK_THROWS_AS(RunFolder(path, false), Error);
    CHECK_NOTHROW(RunFolder(path, true));
    std::ofstream(scratch.path / "file") << "";
    CHECK_THROWS_AS(RunFolder(scratch.path / "file", false).start(preset("fast"), 0), Error);
    CHECK_THROWS_AS(RunFolder(scratch.path / "file" / "run", false).start(preset("fast"), 0), Error);
}

TEST_CASE("resuming drops what was written after the checkpoint, and a line cut off by a kill") {
    const ScratchFolder scratch;
    RunFolder run(scratch.path / "run", false);
    run.start(preset("fast"), 0);
    for (int step = 1; step <= 4; ++step) run.append(step_record(step, 0.5f));
    std::ofstream(run.metrics(), std::ios::app) << "{\"step\": 2";
    run.start(preset("fast"), 2);
    CHECK(read_history(run.metrics()).train_loss.size() == 2);
    CHECK(text_of(run.metrics()).find("\"step\":2,") != std::string::npos);
    run.start(preset("fast"), 0);
    CHECK(text_of(run.metrics()).empty());
}
