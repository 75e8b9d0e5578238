#include <doctest/doctest.h>

#include <algorithm>

#include "tests/tools/karyon.h"

namespace {

constexpr const char* commands[] = {"train", "evaluate", "predict", "normalize", "synth", "info", "doctor"};

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("help is there for the program and every command, with an example") {
    const Workplace place;
    const Outcome help = place.karyon("--help");
    CHECK(help.status == 0);
    CHECK(contains(help.out, "karyon train --preset fast"));
    for (const std::string command : commands) {
        CAPTURE(command);
        CHECK(contains(help.out, "\n  " + command));
        const Outcome outcome = place.karyon(command + " --help");
        CHECK(outcome.status == 0);
        CHECK(contains(outcome.out, "Example"));
        CHECK(contains(outcome.out, "  karyon " + command));
        CHECK(contains(outcome.out, "--json"));
        CHECK(outcome.err.empty());
    }
    const Outcome version = place.karyon("--version");
    CHECK(version.status == 0);
    CHECK(version.out.starts_with("karyon "));
}

TEST_CASE("wrong usage exits with 2 and says what was wrong") {
    const Workplace place;
    CHECK(place.karyon("").status == 2);
    CHECK(place.karyon("paint").status == 2);
    CHECK(place.karyon("synth").status == 2);
    CHECK(contains(place.karyon("synth").err, "--out"));
    CHECK(place.karyon("synth --out x --images 0").status == 2);
    CHECK(place.karyon("doctor --colour red").status == 2);
    const std::string train = "train --data d --split s --out r ";
    const Outcome rate = place.karyon(train + "--lr fast");
    CHECK(rate.status == 2);
    CHECK(contains(rate.err, "optim.lr: expected a number from 1e-09 to 10, got \"fast\""));
    CHECK(place.karyon(train + "--batch 0").status == 2);
    CHECK(place.karyon(train + "--encoder b9").status == 2);
    const Outcome preset = place.karyon(train + "--preset slow");
    CHECK(preset.status == 2);
    CHECK(contains(preset.err, "expected one of paper-b4, fast, best, got slow"));
    CHECK(!std::filesystem::exists(place / "r"));
}

TEST_CASE("what fails exits with 1 and one line that names the file, and leaves nothing behind") {
    const Workplace place;
    place.write("noise.safetensors", "this is no checkpoint");
    place.write("bad.toml", "[optim]\nlr = 'high'\n");
    place.write("empty.png", "");
    const std::pair<std::string, std::string> cases[] = {
        {"predict --model none.safetensors --out m empty.png", "none.safetensors"},
        {"predict --model noise.safetensors --out m empty.png", "noise.safetensors"},
        {"predict --model noise.safetensors --out m missing.png", "missing.png"},
        {"info nowhere", "nowhere"},
        {"info noise.safetensors", "noise.safetensors"},
        {"info .", "metrics.jsonl"},
        {"normalize --out m empty.png", "empty.png"},
        {"train --data nowhere --split s.txt --out r --preset fast", "s.txt"},
        {"train --data . --split s.txt --out r --config bad.toml", "[bad.toml:2] optim.lr: expected a number"},
        {"train --data . --split s.txt --out r --resume", "last.safetensors"},
        {"evaluate --model none.safetensors --data nowhere --split s.txt", "nowhere"},
        {"synth --out empty.png", "empty.png"},
    };
    for (const auto& [arguments, part] : cases) {
        CAPTURE(arguments);
        const Outcome outcome = place.karyon(arguments);
        CHECK(outcome.status == 1);
        CHECK_MESSAGE(contains(outcome.err, part), outcome.err);
        CHECK(outcome.err.starts_with("karyon: ["));
        CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
        CHECK(outcome.out.empty());
    }
    CHECK(!std::filesystem::exists(place / "r"));
}

TEST_CASE("doctor describes the machine") {
    const Workplace place;
    const Outcome outcome = place.karyon("doctor --json --threads 2");
    REQUIRE(outcome.status == 0);
    const auto json = outcome.json();
    CHECK(json["threads"] == 2);
    CHECK(json["cores"].get<int>() >= 1);
    CHECK(json["memory_bytes"].get<double>() > 1e8);
    CHECK(json["available_bytes"].get<double>() <= json["memory_bytes"].get<double>());
    CHECK(std::string(json["onednn"]).find('.') != std::string::npos);
    CHECK(!std::string(json["gpu"]).empty());
    const Outcome text = place.karyon("doctor");
    CHECK(text.status == 0);
    CHECK(contains(text.out, "oneDNN"));
}
