#include "data/metrics.h"

#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "kernels/error.h"

using namespace karyon;

namespace {

Mask mask(int width, int height, std::initializer_list<std::uint8_t> pixels) {
    Mask result(width, height);
    result.pixels.assign(pixels);
    return result;
}

}  // namespace

TEST_CASE("confusion counts, Dice and IoU of a hand-computed pair") {
    const Confusion counts = compare(mask(4, 2, {1, 1, 1, 0, 0, 0, 0, 0}), mask(4, 2, {0, 1, 1, 1, 1, 0, 0, 0}));
    CHECK(counts == Confusion{2, 2, 1, 3});
    CHECK(counts.dice() == doctest::Approx(4.0 / 7));
    CHECK(counts.iou() == doctest::Approx(2.0 / 5));
}

TEST_CASE("Dice of empty, disjoint and equal masks") {
    const Mask none = mask(2, 1, {0, 0}), left = mask(2, 1, {1, 0}), right = mask(2, 1, {0, 1});
    CHECK(compare(none, none).dice() == 1);
    CHECK(compare(none, none).iou() == 1);
    CHECK(compare(left, none).dice() == 0);
    CHECK(compare(left, right).dice() == 0);
    CHECK(compare(left, left).iou() == 1);
}

TEST_CASE("a mask value of 255 counts as nucleus") {
    CHECK(compare(mask(2, 1, {1, 0}), mask(2, 1, {255, 0})) == Confusion{1, 0, 0, 1});
}

TEST_CASE("masks of different sizes are refused by name and size") {
    CHECK_THROWS_WITH_AS(compare(Mask(3, 2), Mask(2, 3), "tile-7"),
                         "[tile-7] expected a predicted mask of 3x2 like the truth, got 2x3", Error);
    CHECK_THROWS_AS(compare(Mask(), Mask(), "tile-7"), Error);
}

TEST_CASE("per-image and pooled Dice differ as computed by hand, and the halves follow the organs") {
    Scores scores("test.txt", {"Liver"});
    scores.add("a", "Liver", mask(2, 1, {1, 1}), mask(2, 1, {1, 1}));              // Dice 1, 2 of 2
    scores.add("b", "Colon", mask(4, 1, {1, 1, 0, 0}), mask(4, 1, {0, 1, 1, 0}));  // Dice 1/2, IoU 1/3
    scores.add("c", "Colon", mask(2, 1, {1, 0}), mask(2, 1, {0, 0}));              // Dice 0
    const ScoreSummary all = scores.all();
    CHECK(all.images == 3);
    CHECK(all.mean_dice == doctest::Approx(0.5));
    CHECK(all.sd_dice == doctest::Approx(0.5));
    CHECK(all.mean_iou == doctest::Approx(4.0 / 9));
    CHECK(all.pooled_dice == doctest::Approx(2.0 * 3 / (2 * 3 + 1 + 2)));
    CHECK(all.pooled_iou == doctest::Approx(0.5));
    CHECK(scores.seen().images == 1);
    CHECK(scores.seen().mean_dice == 1);
    CHECK(scores.seen().sd_dice == 0);
    CHECK(scores.unseen().mean_dice == doctest::Approx(0.25));
    CHECK(scores.unseen().pooled_dice == doctest::Approx(0.4));

    const auto json = nlohmann::json::parse(scores.to_json());
    CHECK(json["split"] == "test.txt");
    CHECK(json["images"].size() == 3);
    CHECK(json["images"][1]["name"] == "b");
    CHECK(json["images"][1]["organ"] == "Colon");
    CHECK(json["images"][1]["dice"].get<double>() == doctest::Approx(0.5));
    CHECK(json["mean_dice"].get<double>() == doctest::Approx(0.5));
    CHECK(json["unseen"]["images"] == 2);
    CHECK(json["unseen"]["pooled_dice"].get<double>() == doctest::Approx(0.4));

    const std::string text = scores.to_text();
    CHECK(text.find("per-image Dice") != std::string::npos);
    CHECK(text.find("organs unseen") != std::string::npos);
}

TEST_CASE("without training organs there are no halves, and without images no figures") {
    Scores scores("split.txt");
    const auto empty = nlohmann::json::parse(scores.to_json());
    CHECK(empty["mean_dice"].is_null());
    CHECK(std::isnan(scores.all().pooled_dice));
    scores.add("a", "Liver", mask(1, 1, {1}), mask(1, 1, {1}));
    const auto json = nlohmann::json::parse(scores.to_json());
    CHECK(json["seen"].is_null());
    CHECK(json["unseen"].is_null());
    CHECK(scores.to_text().find("organs") == std::string::npos);
}
