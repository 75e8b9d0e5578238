#include <doctest/doctest.h>

#include <cmath>
#include <sstream>

#include "data/dataset.h"
#include "data/image_io.h"
#include "data/labels.h"
#include "tests/tools/karyon.h"

using namespace karyon;
namespace fs = std::filesystem;

namespace {

/// A data folder of corners of images: all of MoNuSeg's where KARYON_MONUSEG names it, else made-up ones.
void make_data(const Workplace& place, int side) {
    const char* real = std::getenv("KARYON_MONUSEG");
    if (!real) {
        MESSAGE("made-up images: KARYON_MONUSEG does not name the MoNuSeg folder");
        REQUIRE(place.karyon("synth --out data --images 4 --size " + std::to_string(side)).status == 0);
        return;
    }
    const DataFolder folder(real);
    const Split split = read_split(fs::path(real) / "splits/kumar-train.txt");
    std::ostringstream names;
    for (const char* sub : {"data/images", "data/masks", "data/splits"}) fs::create_directories(place / sub);
    for (std::size_t i = 0; i < 4; ++i) {
        const Split::Entry& entry = split.entries[4 * i];
        const Case item = folder.read_case(entry.name, entry.organ);
        Image image(side, side);
        Mask mask(side, side);
        for (int y = 0; y < side; ++y)
            for (int x = 0; x < side; ++x) {
                std::copy_n(item.image.at(x, y), 3, image.at(x, y));
                mask.pixels[std::size_t(y) * side + x] = item.mask.pixels[std::size_t(y) * item.mask.width + x];
            }
        write_png(place / ("data/images/" + entry.name + ".png"), image);
        write_mask(place / ("data/masks/" + entry.name + ".png"), mask);
        names << entry.name << ' ' << (i < 2 ? "a" : "b") << '\n';
    }
    place.write("data/splits/train.txt", names.str());
}

std::vector<double> losses(const Workplace& place, const std::string& run) {
    std::vector<double> values;
    std::istringstream lines(place.read(run + "/metrics.jsonl"));
    for (std::string line; std::getline(lines, line);) {
        const auto json = nlohmann::json::parse(line);
        if (json.contains("train_loss")) values.push_back(json["train_loss"]);
    }
    return values;
}

/// As well-conditioned as training_test.cpp.
const std::string fast =
    "train --data data --split data/splits/train.txt --preset fast --local 32 --margin 0 --overlap 0 --batch 4 "
    "--epochs 1 --steps-per-epoch 3 --warmup-steps 0 --lr 1e-4 --eps 1e-2 --encoder-bn-eps 0.1 --decoder-bn-eps 0.1 "
    "--threads 2 ";

}  // namespace

TEST_CASE("train --preset fast on real images gives the same losses on the GPU as on the CPU") {
    const Workplace place;
    make_data(place, 48);
    const Outcome on_gpu = place.karyon(fast + "--device cuda --out gpu --json");
    CAPTURE(on_gpu.err);
    REQUIRE(on_gpu.status == 0);
    REQUIRE(place.karyon(fast + "--out cpu").status == 0);
    const std::vector<double> got = losses(place, "gpu"), expected = losses(place, "cpu");
    REQUIRE(got.size() == 3);
    REQUIRE(expected.size() == 3);
    for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == doctest::Approx(expected[i]).epsilon(1e-4));

    const Outcome predicted =
        place.karyon("predict --model gpu/best.safetensors --device cuda --overlap 0 --out masks data/images");
    CAPTURE(predicted.err);
    CHECK(predicted.status == 0);
}

TEST_CASE("train in bf16 on the GPU") {
    const Workplace place;
    make_data(place, 48);
    const Outcome outcome = place.karyon(fast + "--device cuda --precision bf16 --out bf16");
    CAPTURE(outcome.err);
    CHECK(outcome.status == 0);
    for (const double loss : losses(place, "bf16")) CHECK(std::isfinite(loss));
}

TEST_CASE("doctor names the GPU") {
    const Outcome outcome = Workplace().karyon("doctor --json");
    REQUIRE(outcome.status == 0);
    CHECK(std::string(outcome.json()["gpu"]).find("cuda:0 ") == 0);
}
