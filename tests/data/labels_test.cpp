#include "data/labels.h"

#include "data/image_io.h"
#include "tests/data/support.h"
#include "tests/data/tiff_writer.h"

using namespace karyon;
using namespace karyon::test;

namespace {

Labels make_labels(int width, int height, std::vector<std::int32_t> ids) {
    Labels labels(width, height);
    labels.ids = std::move(ids);
    return labels;
}

}  // namespace

TEST_CASE("labels: written and read again are the same") {
    const TemporaryFolder folder;
    const Labels labels = make_labels(3, 2, {0, 1, 255, 256, 40000, 65535});
    write_labels(folder / "a.png", labels);
    const Labels again = read_labels(folder / "a.png");
    CHECK(again.width == 3);
    CHECK(again.height == 2);
    CHECK(again.ids == labels.ids);
    CHECK(mask_of(again).pixels == Bytes{0, 1, 1, 1, 1, 1});
    for (const std::int32_t bad : {-1, 65536})
        check_error([&] { write_labels(folder / "b.png", make_labels(1, 1, {bad})); },
                    {"b.png", "0 to 65535", std::to_string(bad)});
    CHECK(file_count(folder) == 1);
}

TEST_CASE("labels: TIFF of 8, 16 and 32 bits") {
    const TemporaryFolder folder;
    TiffOptions options{.channels = 1, .photometric = PHOTOMETRIC_MINISBLACK, .compression = COMPRESSION_LZW};
    make_tiff(folder / "8.tif", 2, 2, {0, 7, 255, 3}, options);
    CHECK(read_labels(folder / "8.tif").ids == std::vector<std::int32_t>{0, 7, 255, 3});
    options.bits = 16;
    make_tiff(folder / "16.tif", 2, 1, {0x01, 0x02, 0xff, 0xff}, options);
    CHECK(read_labels(folder / "16.tif").ids == std::vector<std::int32_t>{0x201, 65535});
    options.bits = 32;
    make_tiff(folder / "32.tif", 2, 1, {1, 2, 3, 0, 0, 0, 0, 0}, options);
    CHECK(read_labels(folder / "32.tif").ids == std::vector<std::int32_t>{0x30201, 0});
    options.sample_format = SAMPLEFORMAT_INT;
    make_tiff(folder / "negative.tif", 1, 1, {0xff, 0xff, 0xff, 0xff}, options);
    check_error([&] { read_labels(folder / "negative.tif"); }, {"negative.tif", "ids of at most 2147483647"});
}

TEST_CASE("masks: any value but 0 is nucleus") {
    const TemporaryFolder folder;
    write_png(folder / "01.png", 3, 1, Bytes{0, 1, 0});
    write_png(folder / "0255.png", 3, 1, Bytes{0, 255, 0});
    write_png16(folder / "16.png", 3, 1, std::vector<std::uint16_t>{0, 1, 0});
    make_tiff(folder / "1.tif", 3, 1, {0b01000000}, {.channels = 1, .bits = 1, .photometric = PHOTOMETRIC_MINISBLACK});
    for (const char* name : {"01.png", "0255.png", "16.png", "1.tif"})
        CHECK(read_mask(folder / name).pixels == Bytes{0, 1, 0});
    Mask mask(3, 1);
    mask.pixels = {0, 1, 0};
    write_mask(folder / "w.png", mask);
    CHECK(read_mask(folder / "w.png").pixels == mask.pixels);
    CHECK(read_image(folder / "w.png").pixels == Bytes{0, 0, 0, 255, 255, 255, 0, 0, 0});
}

TEST_CASE("masks: RGB is taken when it is gray in effect, and refused in colour") {
    const TemporaryFolder folder;
    Image image(2, 1);
    image.pixels = {0, 0, 0, 255, 255, 255};
    write_png(folder / "gray.png", image);
    CHECK(read_mask(folder / "gray.png").pixels == Bytes{0, 1});
    make_tiff(folder / "gray.tif", 2, 1, image.pixels, {});
    CHECK(read_mask(folder / "gray.tif").pixels == Bytes{0, 1});
    image.pixels = {0, 0, 0, 255, 0, 0};
    write_png(folder / "red.png", image);
    check_error([&] { read_mask(folder / "red.png"); }, {"red.png", "gray pixels", "a coloured one at x 1, y 0"});
    check_error([&] { read_labels(folder / "red.png"); }, {"red.png", "gray pixels"});
}

TEST_CASE("masks: transparency and reduced or lossy samples are refused") {
    const TemporaryFolder folder;
    make_tiff(folder / "opaque.tif", 2, 1, {0, 0, 0, 255, 9, 9, 9, 255}, {.channels = 4, .alpha = true});
    CHECK(read_mask(folder / "opaque.tif").pixels == Bytes{0, 1});
    make_tiff(folder / "alpha.tif", 2, 1, {0, 0, 0, 0, 9, 9, 9, 255}, {.channels = 4, .alpha = true});
    check_error([&] { read_mask(folder / "alpha.tif"); }, {"alpha.tif", "opaque"});
    make_tiff(folder / "16.tif", 1, 1, {1, 0, 1, 0, 1, 0}, {.bits = 16});
    check_error([&] { read_mask(folder / "16.tif"); }, {"16.tif", "reduced to 8 bits"});
    make_tiff(folder / "jpeg.tif", 16, 16, Bytes(256, 255),
              {.channels = 1, .photometric = PHOTOMETRIC_MINISBLACK, .compression = COMPRESSION_JPEG});
    check_error([&] { read_mask(folder / "jpeg.tif"); }, {"jpeg.tif", "JPEG compression"});
}
