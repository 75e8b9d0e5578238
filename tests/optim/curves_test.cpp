#include "optim/curves.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

using namespace karyon;

TEST_CASE("ticks are round and inside the range") {
    CHECK(round_ticks(0, 1, 5) == std::vector<double>{0, 0.2, 0.4, 0.6000000000000001, 0.8, 1});
    CHECK(round_ticks(3, 48, 4) == std::vector<double>{20, 40});
    for (const double tick : round_ticks(-0.013, 0.5, 6)) CHECK((tick >= -0.013 && tick <= 0.5));
}

TEST_CASE("a chart is drawn for no values, one value, equal values and values that are not finite") {
    const TrainingHistory histories[] = {
        {},
        {{{1, 0.5}}, {{1, 0.7}}, {}},
        {{{1, 0.5}, {2, 0.5}}, {{1, 0.7}, {2, 0.7}}, {{1, 0.7}, {2, 0.7}}},
        {{{1, NAN}, {2, 0.5}, {3, INFINITY}}, {}, {}},
    };
    for (const TrainingHistory& history : histories) {
        const Image image = draw_training_curves(history, "title");
        CHECK(image.width == 900);
        CHECK(image.height == 500);
    }
}

TEST_CASE("a curve passes through the pixels of its values") {
    Chart chart{"t", "x", {{"c", {200, 0, 0}, {{0, 0}, {1, 0}, {2, 1}}, false}}};
    const Image image = draw_chart(chart, 300, 200);
    int red = 0;
    for (int y = 45; y < 156; ++y)
        for (int x = 53; x < 286; ++x) red += image.at(x, y)[0] > 150 && image.at(x, y)[1] < 100;
    CHECK(red > 200);
}
