#include <png.h>

#include "data/image_io.h"
#include "tests/data/support.h"

using namespace karyon;
using namespace karyon::test;

namespace {

struct PngOptions {
    int bit_depth = 8, color_type = PNG_COLOR_TYPE_GRAY, interlace = PNG_INTERLACE_NONE;
    std::vector<png_color> palette = {};
    std::vector<png_byte> palette_alpha = {};
};

/// A PNG of any kind from rows as libpng wants them (packed, 16 bits big-endian).
void make_png(const fs::path& path, int width, int height, const PngOptions& options,
              std::vector<std::vector<std::uint8_t>> rows) {
    std::FILE* file = std::fopen(path.c_str(), "wb");
    REQUIRE(file);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
    png_infop info = png_create_info_struct(png);
    png_init_io(png, file);
    png_set_IHDR(png, info, width, height, options.bit_depth, options.color_type, options.interlace, 0, 0);
    if (!options.palette.empty()) png_set_PLTE(png, info, options.palette.data(), int(options.palette.size()));
    if (!options.palette_alpha.empty())
        png_set_tRNS(png, info, options.palette_alpha.data(), int(options.palette_alpha.size()), nullptr);
    png_write_info(png, info);
    std::vector<png_bytep> pointers;
    for (auto& row : rows) pointers.push_back(row.data());
    png_write_image(png, pointers.data());
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    std::fclose(file);
}

using Bytes = std::vector<std::uint8_t>;

}  // namespace

TEST_CASE("png: RGB written and read again is the same") {
    const TemporaryFolder folder;
    for (const auto& [width, height] : {std::pair{1, 1}, {7, 3}, {64, 65}}) {
        const Image image = noise_image(width, height);
        write_png(folder / "a.png", image);
        const Image again = read_image(folder / "a.png");
        CHECK(again.width == width);
        CHECK(again.height == height);
        CHECK(again.pixels == image.pixels);
    }
    CHECK(file_count(folder) == 1);
}

TEST_CASE("png: content decides, not the suffix") {
    const TemporaryFolder folder;
    write_png(folder / "a.tif", noise_image(5, 4));
    CHECK(read_image(folder / "a.tif").pixels == noise_image(5, 4).pixels);
}

TEST_CASE("png: gray of 8 and 16 bits is replicated, 16 bits are rounded to 8") {
    const TemporaryFolder folder;
    write_png(folder / "8.png", 3, 1, Bytes{0, 77, 255});
    CHECK(read_image(folder / "8.png").pixels == Bytes{0, 0, 0, 77, 77, 77, 255, 255, 255});
    write_png16(folder / "16.png", 4, 1, std::vector<std::uint16_t>{0, 128, 129, 65535});
    CHECK(read_image(folder / "16.png").pixels == Bytes{0, 0, 0, 0, 0, 0, 1, 1, 1, 255, 255, 255});
}

TEST_CASE("png: 1-bit and 2-bit gray are stretched") {
    const TemporaryFolder folder;
    make_png(folder / "1.png", 3, 1, {.bit_depth = 1}, {{0b01000000}});
    CHECK(read_image(folder / "1.png").pixels == Bytes{0, 0, 0, 255, 255, 255, 0, 0, 0});
    make_png(folder / "2.png", 3, 1, {.bit_depth = 2}, {{0b00011000}});
    CHECK(read_image(folder / "2.png").pixels == Bytes{0, 0, 0, 85, 85, 85, 170, 170, 170});
}

TEST_CASE("png: palettes are expanded, with their transparency") {
    const TemporaryFolder folder;
    PngOptions options{.bit_depth = 4, .color_type = PNG_COLOR_TYPE_PALETTE, .palette = {{1, 2, 3}, {200, 100, 50}}};
    make_png(folder / "p.png", 3, 1, options, {{0x01, 0x00}});
    CHECK(read_image(folder / "p.png").pixels == Bytes{1, 2, 3, 200, 100, 50, 1, 2, 3});
    options.palette_alpha = {0};
    make_png(folder / "t.png", 2, 1, options, {{0x01}});
    CHECK(read_image(folder / "t.png").pixels == Bytes{255, 255, 255, 200, 100, 50});
}

TEST_CASE("png: alpha is composited over white") {
    const TemporaryFolder folder;
    make_png(folder / "rgba.png", 3, 1, {.color_type = PNG_COLOR_TYPE_RGB_ALPHA},
             {{10, 20, 30, 255, 10, 20, 30, 0, 0, 100, 200, 51}});
    CHECK(read_image(folder / "rgba.png").pixels == Bytes{10, 20, 30, 255, 255, 255, 204, 224, 244});
    make_png(folder / "ga.png", 2, 1, {.color_type = PNG_COLOR_TYPE_GRAY_ALPHA}, {{9, 255, 9, 0}});
    CHECK(read_image(folder / "ga.png").pixels == Bytes{9, 9, 9, 255, 255, 255});
    make_png(folder / "rgba16.png", 1, 1, {.bit_depth = 16, .color_type = PNG_COLOR_TYPE_RGB_ALPHA},
             {{0x40, 0x40, 0x80, 0x80, 0xff, 0xff, 0xff, 0xff}});
    CHECK(read_image(folder / "rgba16.png").pixels == Bytes{0x40, 0x80, 0xff});
}

TEST_CASE("png: interlaced") {
    const TemporaryFolder folder;
    const Bytes pixels = noise(9 * 11);
    std::vector<Bytes> rows;
    for (int y = 0; y < 11; ++y) rows.emplace_back(pixels.begin() + 9 * y, pixels.begin() + 9 * (y + 1));
    make_png(folder / "i.png", 9, 11, {.interlace = PNG_INTERLACE_ADAM7}, rows);
    const Image image = read_image(folder / "i.png");
    for (std::size_t i = 0; i < pixels.size(); ++i) CHECK(image.pixels[3 * i] == pixels[i]);
}

TEST_CASE("png: truncated and damaged files are errors") {
    const TemporaryFolder folder;
    write_png(folder / "a.png", noise_image(40, 30));
    check_all_truncations(folder / "a.png", read_image);
    std::string bytes = read_bytes(folder / "a.png");
    bytes[bytes.size() / 2] ^= 0x40;
    write_bytes(folder / "b.png", bytes);
    check_error([&] { read_image(folder / "b.png"); }, {"b.png", "expected a complete PNG"});
}

TEST_CASE("png: a header that promises too much is refused before memory is taken") {
    const TemporaryFolder folder;
    // An IHDR chunk alone, with its checksum, of 60000 x 30000 and of 2^31-1 x 2^31-1 gray pixels.
    const std::string begin("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16), end("\x08\0\0\0\0", 5);
    const auto header = [&](const std::string& size) {
        const std::string body = "IHDR" + size + end;
        std::uint32_t crc = 0xffffffffu;
        for (const unsigned char byte : body) {
            crc ^= byte;
            for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320u : 0);
        }
        std::string bytes = begin + size + end;
        for (int shift = 24; shift >= 0; shift -= 8) bytes += char((~crc >> shift) & 0xff);
        return bytes + std::string("\0\0\0\0IDAT\x35\xaf\x06\x1e", 12);
    };
    write_bytes(folder / "wide.png", header(std::string("\0\0\xea\x60\0\0\x75\x30", 8)));
    check_error([&] { read_image(folder / "wide.png"); }, {"60000 x 30000", "got a file of 45 bytes"});
    write_bytes(folder / "huge.png", header(std::string("\x7f\xff\xff\xff\x7f\xff\xff\xff", 8)));
    check_error([&] { read_image(folder / "huge.png"); }, {"at most 2147483648 pixels", "2147483647 x 2147483647"});
}

TEST_CASE("png: buffers of another size are refused") {
    const TemporaryFolder folder;
    check_error([&] { write_png(folder / "a.png", 3, 3, Bytes(8)); }, {"a.png", "expected 9 bytes", "got 8"});
    check_error([&] { write_png(folder / "a.png", Image()); }, {"a.png", "0 x 0"});
    CHECK(file_count(folder) == 0);
}
