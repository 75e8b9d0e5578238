#include "data/rasterise.h"

#include <cmath>
#include <limits>

#include "tests/data/support.h"

using namespace karyon;
using namespace karyon::test;

namespace {

/// The rule as it is written, one pixel at a time.
bool is_inside(const Polygon& polygon, int c, int r) {
    int below = 0;
    for (std::size_t i = 0; i < polygon.size(); ++i) {
        const auto [x1, y1] = polygon[i];
        const auto [x2, y2] = polygon[(i + 1) % polygon.size()];
        if ((x1 <= c) != (x2 <= c) && r < y1 + (c - x1) / (x2 - x1) * (y2 - y1)) ++below;
    }
    return polygon.size() >= 3 && below % 2 == 1;
}

Labels rasterise_slowly(std::span<const Polygon> polygons, int width, int height) {
    Labels labels(width, height);
    for (int r = 0; r < height; ++r)
        for (int c = 0; c < width; ++c)
            for (std::size_t i = polygons.size(); i-- > 0;)
                if (is_inside(polygons[i], c, r)) labels.ids[std::size_t(r) * width + c] = int(i + 1);
    return labels;
}

std::vector<int> ids(const Labels& labels) { return {labels.ids.begin(), labels.ids.end()}; }

std::vector<int> fill(const std::vector<Polygon>& polygons, int width, int height,
                      const std::vector<Polygon>& holes = {}) {
    return ids(rasterise(polygons, width, height, holes));
}

}  // namespace

TEST_CASE("rasterise: left and top edges belong to the polygon, right and bottom edges do not") {
    const Polygon square{{1, 1}, {3, 1}, {3, 3}, {1, 3}};
    CHECK(fill({square}, 5, 4) == std::vector{0, 0, 0, 0, 0,  //
                                              0, 1, 1, 0, 0,  //
                                              0, 1, 1, 0, 0,  //
                                              0, 0, 0, 0, 0});
}

TEST_CASE("rasterise: fewer than three points have no pixels and keep their number") {
    CHECK(fill({{}, {{0, 0}}, {{0, 0}, {2, 2}}, {{0, 0}, {1, 0}, {1, 1}, {0, 1}}}, 2, 2) == std::vector{4, 0, 0, 0});
    CHECK(fill({}, 2, 1) == std::vector{0, 0});
}

TEST_CASE("rasterise: a self-crossing outline is even-odd") {
    const Polygon twice_around{{0, 0}, {4, 0}, {4, 4}, {0, 4}, {0, 0}, {3, 0}, {3, 3}, {0, 3}};
    CHECK(fill({twice_around}, 4, 4) == std::vector{0, 0, 0, 1,  //
                                                    0, 0, 0, 1,  //
                                                    0, 0, 0, 1,  //
                                                    1, 1, 1, 1});
}

TEST_CASE("rasterise: outlines beyond the image are clipped") {
    CHECK(fill({{{-5, -5}, {1, -5}, {1, 1}, {-5, 1}}}, 2, 2) == std::vector{1, 0, 0, 0});
    CHECK(fill({{{-1e8, -1e8}, {1e8, -1e8}, {1e8, 1e8}, {-1e8, 1e8}}}, 2, 2) == std::vector{1, 1, 1, 1});
    CHECK(fill({{{5, 5}, {9, 5}, {9, 9}}}, 2, 2) == std::vector{0, 0, 0, 0});
}

TEST_CASE("rasterise: the first polygon keeps a pixel, and holes take it from all") {
    const Polygon left{{0, 0}, {2, 0}, {2, 1}, {0, 1}}, all{{0, 0}, {4, 0}, {4, 1}, {0, 1}};
    CHECK(fill({left, all}, 4, 1) == std::vector{1, 1, 2, 2});
    CHECK(fill({all, left}, 4, 1) == std::vector{1, 1, 1, 1});
    CHECK(fill({left, all}, 4, 1, {{{1, 0}, {3, 0}, {3, 1}, {1, 1}}}) == std::vector{1, 0, 0, 2});
}

TEST_CASE("rasterise: random self-crossing polygons follow the rule pixel by pixel") {
    const std::vector<std::uint8_t> random = noise(2 * 12 * 300, 7);
    std::size_t next = 0;
    // Quarter pixels between -6 and 26 by 26: many vertices and edges lie on pixel centres.
    const auto coordinate = [&] { return (random[next++] % 128) / 4. - 6; };
    std::vector<Polygon> polygons(300);
    for (std::size_t i = 0; i < polygons.size(); ++i)
        for (std::size_t k = 0; k < 1 + i % 12; ++k) {
            const double x = coordinate();
            polygons[i].push_back({x, coordinate()});
        }
    for (const Polygon& polygon : polygons)
        CHECK(fill({polygon}, 20, 21) == ids(rasterise_slowly({&polygon, 1}, 20, 21)));
    CHECK(fill(polygons, 20, 21) == ids(rasterise_slowly(polygons, 20, 21)));
}

TEST_CASE("rasterise: coordinates that are not numbers or far beyond any image are refused") {
    for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity(), -1e300})
        for (int i = 0; i < 6; ++i) {
            Polygon polygon{{0, 0}, {2, 0}, {2, 2}};
            (i % 2 ? polygon[i / 2].y : polygon[i / 2].x) = bad;
            check_error([&] { fill({polygon}, 3, 3); }, {"rasterise", "expected coordinates"});
        }
    check_error([] { fill({}, 0, 3); }, {"rasterise", "0 x 3"});
}
