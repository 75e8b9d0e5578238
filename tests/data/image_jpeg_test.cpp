#include <cstdio>
// jpeglib.h needs stdio.h before it.
#include <jpeglib.h>

#include "data/image_io.h"
#include "data/labels.h"
#include "tests/data/support.h"

using namespace karyon;
using namespace karyon::test;

namespace {

/// A JPEG of quality 100 without chroma subsampling, one colour throughout.
void make_jpeg(const fs::path& path, int width, int height, J_COLOR_SPACE space, const std::vector<std::uint8_t>& color,
               bool adobe = true, bool progressive = false) {
    std::FILE* file = std::fopen(path.c_str(), "wb");
    REQUIRE(file);
    jpeg_compress_struct info{};
    jpeg_error_mgr errors{};
    info.err = jpeg_std_error(&errors);
    jpeg_create_compress(&info);
    jpeg_stdio_dest(&info, file);
    info.image_width = width, info.image_height = height;
    info.input_components = int(color.size()), info.in_color_space = space;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, 100, TRUE);
    info.comp_info[0].h_samp_factor = info.comp_info[0].v_samp_factor = 1;
    info.write_Adobe_marker = adobe && space == JCS_CMYK;
    if (progressive) jpeg_simple_progression(&info);
    jpeg_start_compress(&info, TRUE);
    std::vector<std::uint8_t> row;
    for (int x = 0; x < width; ++x) row.insert(row.end(), color.begin(), color.end());
    JSAMPROW pointer = row.data();
    while (info.next_scanline < info.image_height) jpeg_write_scanlines(&info, &pointer, 1);
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    std::fclose(file);
}

void check_color(const fs::path& path, int width, int height, int red, int green, int blue) {
    const Image image = read_image(path);
    CHECK(image.width == width);
    CHECK(image.height == height);
    const int expected[] = {red, green, blue};
    for (std::size_t i = 0; i < image.pixels.size(); ++i) CHECK(std::abs(image.pixels[i] - expected[i % 3]) <= 2);
}

}  // namespace

TEST_CASE("jpeg: RGB, gray and progressive") {
    const TemporaryFolder folder;
    make_jpeg(folder / "rgb.jpg", 17, 9, JCS_RGB, {180, 90, 160});
    check_color(folder / "rgb.jpg", 17, 9, 180, 90, 160);
    make_jpeg(folder / "gray.jpg", 1, 1, JCS_GRAYSCALE, {77});
    check_color(folder / "gray.jpg", 1, 1, 77, 77, 77);
    make_jpeg(folder / "progressive.jpg", 33, 20, JCS_RGB, {20, 200, 30}, true, true);
    check_color(folder / "progressive.jpg", 33, 20, 20, 200, 30);
}

TEST_CASE("jpeg: CMYK is converted, plain and inverted as Adobe stores it") {
    const TemporaryFolder folder;
    make_jpeg(folder / "plain.jpg", 8, 8, JCS_CMYK, {0, 51, 255, 51}, false);
    check_color(folder / "plain.jpg", 8, 8, 204, 163, 0);
    make_jpeg(folder / "adobe.jpg", 8, 8, JCS_CMYK, {255, 204, 0, 204}, true);
    check_color(folder / "adobe.jpg", 8, 8, 204, 163, 0);
}

TEST_CASE("jpeg: truncated files are errors, never filled up with gray") {
    const TemporaryFolder folder;
    for (const bool progressive : {false, true}) {
        make_jpeg(folder / "a.jpg", 64, 64, JCS_RGB, {180, 90, 160}, true, progressive);
        check_all_truncations(folder / "a.jpg", read_image);
        std::string bytes = read_bytes(folder / "a.jpg");
        bytes.resize(bytes.size() - 2);
        write_bytes(folder / "b.jpg", bytes);
        check_error([&] { read_image(folder / "b.jpg"); }, {"b.jpg", "expected a complete JPEG", "Premature end"});
    }
}

TEST_CASE("jpeg: a header that promises too much is refused") {
    const TemporaryFolder folder;
    make_jpeg(folder / "a.jpg", 8, 8, JCS_RGB, {180, 90, 160});
    std::string bytes = read_bytes(folder / "a.jpg");
    const std::size_t frame = bytes.find("\xff\xc0");
    REQUIRE(frame != bytes.npos);
    for (const std::size_t i : {5, 7}) bytes[frame + i] = '\x75', bytes[frame + i + 1] = '\x30';
    write_bytes(folder / "b.jpg", bytes);
    check_error([&] { read_image(folder / "b.jpg"); }, {"b.jpg", "30000 x 30000", "got a file of"});
}

TEST_CASE("jpeg: a mask in a lossy format is refused") {
    const TemporaryFolder folder;
    make_jpeg(folder / "mask.jpg", 8, 8, JCS_GRAYSCALE, {255});
    check_error([&] { read_mask(folder / "mask.jpg"); }, {"mask.jpg", "lossless", "JPEG"});
    check_error([&] { read_labels(folder / "mask.jpg"); }, {"mask.jpg", "lossless", "JPEG"});
}
