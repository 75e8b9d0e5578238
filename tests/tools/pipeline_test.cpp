#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "data/image_io.h"
#include "data/labels.h"
#include "tests/tools/karyon.h"

using namespace karyon;
namespace fs = std::filesystem;

namespace {

/// A network and a run as small as they come.
const std::string tiny =
    "--preset fast --local 32 --margin 0 --overlap 0 --batch 2 --epochs 2 --steps-per-epoch 2 --warmup-steps 0 "
    "--threads 2 ";

std::set<std::string> names_in(const fs::path& folder) {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename().string());
    return names;
}

}  // namespace

TEST_CASE("synth writes a data folder that is the same for the same seed") {
    const Workplace place;
    const Outcome outcome = place.karyon("synth --out a --images 4 --size 64 --seed 5 --json");
    REQUIRE(outcome.status == 0);
    CHECK(outcome.json()["images"] == 4);
    CHECK(outcome.json()["nuclei"].get<int>() > 0);
    CHECK(names_in(place / "a/images").size() == 4);
    CHECK(place.read("a/splits/train.txt") == "synth-0001 synthetic\nsynth-0002 synthetic\nsynth-0003 synthetic\n");
    CHECK(place.read("a/splits/test.txt") == "synth-0004 synthetic\n");
    CHECK(nlohmann::json::parse(place.read("a/stains.json")).size() == 4);
    const Labels labels = read_labels(place / "a/labels/synth-0002.png");
    CHECK(mask_of(labels).pixels == read_mask(place / "a/masks/synth-0002.png").pixels);
    REQUIRE(place.karyon("synth --out b --images 4 --size 64 --seed 5").status == 0);
    CHECK(place.read("a/images/synth-0003.png") == place.read("b/images/synth-0003.png"));
    REQUIRE(place.karyon("synth --out c --images 4 --size 64 --seed 6").status == 0);
    CHECK(place.read("a/images/synth-0003.png") != place.read("c/images/synth-0003.png"));
}

TEST_CASE("normalize writes every image and tells its stains") {
    const Workplace place;
    REQUIRE(place.karyon("synth --out a --images 2 --size 128").status == 0);
    write_png(place / "a/images/white.png", Image(40, 30, 255));
    const Outcome outcome = place.karyon("normalize --out n --json a/images");
    REQUIRE(outcome.status == 0);
    const auto json = outcome.json();
    REQUIRE(json.size() == 3);
    CHECK(json[0]["fallback"].is_null());
    CHECK(json[0]["hematoxylin"].size() == 3);
    CHECK(json[2]["fallback"].is_string());
    CHECK(outcome.err.find("white.png is not normalised") != std::string::npos);
    const Image image = read_image(place / "n/synth-0001.png");
    CHECK(image.width == 128);
    CHECK(place.karyon("normalize --out n --target a/images/white.png a/images").status == 1);
    CHECK(place.karyon("normalize --out n a/images/white.png n/white.png").status == 1);  // both would be n/white.png
}

TEST_CASE("from synthetic images to a model, its scores and its masks") {
    const Workplace place;
    REQUIRE(place.karyon("synth --out d --images 4 --size 80").status == 0);
    const std::string data = "--data d --split d/splits/train.txt --out run ";
    const Outcome trained = place.karyon("train --json " + data + tiny);
    REQUIRE_MESSAGE(trained.status == 0, trained.err);
    CHECK(trained.json()["steps"] == 4);
    CHECK(trained.err.find("validation Dice") != std::string::npos);
    CHECK(names_in(place / "run") ==
          std::set<std::string>{"best.safetensors", "config.toml", "curves.png", "last.safetensors", "metrics.jsonl"});
    CHECK(place.karyon("train " + data + tiny).status == 1);  // never over a run
    const Outcome resumed = place.karyon("train --resume --json --epochs 3 " + data);
    REQUIRE_MESSAGE(resumed.status == 0, resumed.err);
    CHECK(resumed.json()["steps"] == 6);

    const std::string model = "--model run/best.safetensors --config run/config.toml ";
    const Outcome scored =
        place.karyon("evaluate --json --panel panel.png --data d --split d/splits/test.txt " + model);
    REQUIRE_MESSAGE(scored.status == 0, scored.err);
    const auto scores = scored.json();
    CHECK(scores["split"] == "test");
    CHECK(scores["images"].size() == 1);
    CHECK(scores["images"][0]["name"] == "synth-0004");
    CHECK(scores["images"][0]["dice"] == scores["mean_dice"]);
    CHECK(scores["seen"]["images"] == 1);
    CHECK(scores["unseen"].is_null());
    CHECK(read_image(place / "panel.png").width > 1000);

    write_png(place / "dot.png", Image(1, 1, 90));
    write_png(place / "odd.png", Image(45, 33, 200));
    const Outcome predicted = place.karyon("predict --json --probability --out m 'o*.png' dot.png d/images " + model);
    REQUIRE_MESSAGE(predicted.status == 0, predicted.err);
    CHECK(predicted.json().size() == 6);
    CHECK(names_in(place / "m").size() == 18);
    const Image mask = read_image(place / "m/odd.mask.png");
    CHECK(mask.width == 45);
    CHECK(mask.height == 33);
    CHECK(std::ranges::all_of(mask.pixels, [](int value) { return value == 0 || value == 255; }));
    CHECK(read_image(place / "m/dot.overlay.png").width == 1);

    place.write("broken.png", "\x89PNG but not really");
    const Outcome mixed = place.karyon("predict --json --out m2 broken.png odd.png " + model);
    CHECK(mixed.status == 1);
    CHECK(mixed.err.find("broken.png") != std::string::npos);
    CHECK(names_in(place / "m2") == std::set<std::string>{"odd.mask.png", "odd.overlay.png"});

    std::filesystem::create_directories(place / "m3/dot.mask.png");
    const Outcome unwritten = place.karyon("predict --json --out m3 dot.png odd.png " + model);
    CHECK(unwritten.status == 1);
    CHECK(unwritten.err.find("dot.mask.png") != std::string::npos);
    CHECK(unwritten.json().size() == 1);
    CHECK(std::filesystem::is_regular_file(place / "m3/odd.mask.png"));

    const Outcome info = place.karyon("info run --json");
    REQUIRE_MESSAGE(info.status == 0, info.err);
    CHECK(info.json()["preset"] == "fast");
    CHECK(info.json()["epoch"] == 3);
    CHECK(info.json()["model"]["elements"].get<int>() > 1000000);
    CHECK(place.karyon("info run/best.safetensors --tensors").out.find("f32") != std::string::npos);
}
