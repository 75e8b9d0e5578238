#include "data/draw.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "data/draw_overlay.h"
#include "kernels/error.h"

using namespace karyon;

namespace {

Color color_at(const Image& image, int x, int y) {
    const std::uint8_t* pixel = image.at(x, y);
    return {pixel[0], pixel[1], pixel[2]};
}

int ink_count(const Image& image) { return int(std::ranges::count(image.pixels, 255)) / 3; }

}  // namespace

TEST_CASE("text has the dots of its glyphs, scaled, and is cut at the edges") {
    Image image(20, 20);
    draw_text(image, 0, 0, "I", {255, 255, 255});
    CHECK(ink_count(image) == 11);  // two serifs of three dots and a stem of five
    Image large(20, 20);
    draw_text(large, 0, 0, "I", {255, 255, 255}, 2);
    CHECK(ink_count(large) == 44);
    draw_text(image, -3, 16, "cut at every edge", {255, 255, 255}, 3);
    CHECK(text_width("ab", 2) == 22);
    Image odd(8, 9), question(8, 9);
    draw_text(odd, 0, 0, "\xc3", {255, 255, 255});
    draw_text(question, 0, 0, "?", {255, 255, 255});
    CHECK(odd.pixels == question.pixels);
}

TEST_CASE("resizing keeps constants, takes area means and interpolates") {
    const Image flat(7, 5, 93);
    CHECK(std::ranges::all_of(resized(flat, 3, 2).pixels, [](int v) { return v == 93; }));
    CHECK(std::ranges::all_of(resized(flat, 20, 11).pixels, [](int v) { return v == 93; }));
    Image two(2, 1);
    two.at(1, 0)[0] = 100;
    CHECK(resized(two, 1, 1).at(0, 0)[0] == 50);
    const Image four = resized(two, 4, 1);
    CHECK(four.at(0, 0)[0] == 0);
    CHECK(four.at(1, 0)[0] == 25);
    CHECK(four.at(2, 0)[0] == 75);
    CHECK(four.at(3, 0)[0] == 100);
    CHECK(resized(two, 2, 1).pixels == two.pixels);
    CHECK_THROWS_AS(resized(two, 0, 1), Error);
    CHECK_THROWS_AS(resized(Image(), 1, 1), Error);
}

TEST_CASE("lines cover the pixels they pass and no others") {
    Image image(9, 9);
    draw_line(image, {0.5, 4.5}, {8.5, 4.5}, {255, 255, 255}, 1);
    for (int x = 0; x < 9; ++x) CHECK(color_at(image, x, 4) == Color{255, 255, 255});
    CHECK(ink_count(image) == 9);
}

TEST_CASE("an overlay changes only nuclei, and tells right, false and missed apart") {
    const Image gray(8, 8, 128);
    Mask prediction(8, 8), truth(8, 8);
    CHECK(overlay(gray, prediction).pixels == gray.pixels);
    for (int y = 2; y < 6; ++y)
        for (int x = 2; x < 6; ++x) prediction.pixels[y * 8 + x] = 1;
    const Image one = overlay(gray, prediction);
    CHECK(color_at(one, 0, 0) == Color{128, 128, 128});
    CHECK(color_at(one, 2, 2) != color_at(one, 3, 3));  // outline and fill
    truth.pixels[3 * 8 + 3] = truth.pixels[0] = 1;
    const Image both = overlay(gray, prediction, truth);
    CHECK(both.at(3, 3)[1] > both.at(3, 3)[0]);  // green: right
    CHECK(both.at(5, 5)[0] > both.at(5, 5)[1]);  // red: false
    CHECK(both.at(0, 0)[2] > both.at(0, 0)[0]);  // blue: missed
    CHECK_THROWS_WITH_AS(overlay(gray, Mask(8, 7)), "[overlay] expected a mask of 8x8 like the image, got 8x7", Error);
}

TEST_CASE("panels of any size are arranged in rows") {
    const Image wide(40, 10, 7), tall(1, 90, 9);
    const Image sheet =
        arrange({{{wide, "wide"}, {tall, "a caption that is longer than its cell"}}, {{tall, ""}}}, 50, true);
    CHECK(sheet.width == 8 + 2 * 58);
    CHECK(sheet.height > 2 * 50);
    CHECK(sheet.at(8 + 49, 8 + 26)[0] == 7);
    CHECK_THROWS_AS(arrange({}), Error);
    CHECK_THROWS_AS(arrange({{}}), Error);
}
