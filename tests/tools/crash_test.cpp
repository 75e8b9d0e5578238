#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "tests/tensor/same_tensors.h"
#include "tests/tools/karyon.h"

namespace fs = std::filesystem;

namespace {

const std::string data = "--data d --split d/splits/train.txt ";
const std::string options = data +
                            "--preset fast --local 32 --margin 0 --overlap 0 --batch 2 --steps-per-epoch 5 "
                            "--warmup-steps 0 --threads 1 ";

/// Starts a training run and kills it the hard way once `lines` records are written. Returns the signal that ended it.
int train_and_kill(const Workplace& place, const std::string& out, std::ptrdiff_t lines) {
    const std::string command = "cd '" + place.root().string() + "' && exec '" KARYON_BINARY "' train " + options +
                                "--epochs 4 --out " + out + " >/dev/null 2>&1";
    std::vector<char*> arguments{const_cast<char*>("sh"), const_cast<char*>("-c"), const_cast<char*>(command.c_str()),
                                 nullptr};
    pid_t child = 0;
    REQUIRE(::posix_spawn(&child, "/bin/sh", nullptr, nullptr, arguments.data(), environ) == 0);
    int status = 0;
    while (::waitpid(child, &status, WNOHANG) == 0) {
        const std::string metrics = place.read(out + "/metrics.jsonl");
        if (std::ranges::count(metrics, '\n') >= lines) ::kill(child, SIGKILL);
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

}  // namespace

TEST_CASE("a run killed with SIGKILL resumes to the weights of the run that was not") {
    const Workplace place;
    REQUIRE(place.karyon("synth --out d --images 4 --size 64").status == 0);
    REQUIRE(place.karyon("train " + options + "--epochs 4 --out whole").status == 0);
    // After the checkpoint of the first epoch: within the second, and about where the third one's is written.
    for (const std::ptrdiff_t lines : {8, 15}) {
        const std::string out = "killed" + std::to_string(lines);
        CHECK(train_and_kill(place, out, lines) == SIGKILL);
        const Outcome resumed = place.karyon("train --resume " + data + "--out " + out);
        REQUIRE_MESSAGE(resumed.status == 0, resumed.err);
        CHECK(same_tensors(place / "whole/last.safetensors", place / (out + "/last.safetensors")));
        CHECK(same_tensors(place / "whole/best.safetensors", place / (out + "/best.safetensors")));
        CHECK(std::ranges::count(place.read(out + "/metrics.jsonl"), '\n') ==
              std::ranges::count(place.read("whole/metrics.jsonl"), '\n'));
    }
}

TEST_CASE("a full disk: the run fails with the file's name, and the checkpoint before it survives") {
    const Workplace place;
    REQUIRE(place.karyon("synth --out d --images 4 --size 64").status == 0);
    REQUIRE(place.karyon("train " + options + "--epochs 2 --out run").status == 0);
    const std::string before = place.read("run/last.safetensors");
    // Blocks of 512 bytes: less than a checkpoint takes, more than the rest of a run. The shell ignores SIGXFSZ for it.
    const Outcome full = place.shell("trap '' XFSZ; ulimit -f 20000; '" KARYON_BINARY "' train --resume --epochs 3 " +
                                     data + "--out run");
    CHECK(full.status == 1);
    CHECK(full.err.find("safetensors") != std::string::npos);
    CHECK(place.read("run/last.safetensors") == before);
    for (const auto& entry : fs::directory_iterator(place / "run"))
        CHECK(entry.path().string().find(".tmp") == std::string::npos);
    const Outcome resumed = place.karyon("train --resume --epochs 3 " + data + "--out run");
    REQUIRE_MESSAGE(resumed.status == 0, resumed.err);
}
