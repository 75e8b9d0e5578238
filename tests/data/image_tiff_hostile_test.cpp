#include "data/image_io.h"
#include "tests/data/support.h"
#include "tests/data/tiff_writer.h"

using namespace karyon;
using namespace karyon::test;

namespace {

void check_refused(const fs::path& path, int tag, std::uint32_t value, const std::vector<std::string>& parts) {
    CAPTURE(tag);
    CAPTURE(value);
    set_tag(path, tag, value);
    check_error([&] { read_image(path); }, parts);
}

}  // namespace

TEST_CASE("hostile tiff: sizes beyond what the file holds or the program takes") {
    const TemporaryFolder folder;
    const fs::path path = folder / "a.tif";
    for (const int compression : {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE}) {
        const auto fresh = [&](int tile) {
            make_tiff(path, 16, 16, noise(768), {.compression = compression, .tile = tile, .mode = "wl"});
        };
        fresh(0), set_tag(path, TIFFTAG_IMAGEWIDTH, 40000);
        check_refused(path, TIFFTAG_IMAGELENGTH, 40000, {"a.tif", "40000 x 40000", "got a file of"});
        fresh(0);
        check_refused(path, TIFFTAG_IMAGEWIDTH, 0xffffffff, {"a.tif", "at most 2147483648 pixels"});
        for (const int tile : {0, 16})
            for (const int tag : {TIFFTAG_IMAGEWIDTH, TIFFTAG_IMAGELENGTH})
                for (const std::uint32_t size : {0u, 40000u, 0xffffffffu}) {
                    fresh(tile);
                    check_refused(path, tag, size, {"a.tif", "expected", "got"});
                }
        fresh(16);
        check_refused(path, TIFFTAG_TILEWIDTH, 0x7ffffff0, {"a.tif", "expected", "got"});
        fresh(16);
        check_refused(path, TIFFTAG_TILELENGTH, 0, {"a.tif", "expected", "got"});
    }
}

TEST_CASE("hostile tiff: nonsense in every tag is an error or a picture, never a crash") {
    const TemporaryFolder folder;
    const fs::path path = folder / "a.tif";
    int refused = 0, read = 0;
    for (const int tile : {0, 16}) {
        make_tiff(path, 16, 16, noise(768), {.compression = COMPRESSION_LZW, .tile = tile, .mode = "wl"});
        const std::string good = read_bytes(path);
        const std::size_t directory = entry_of(good, TIFFTAG_IMAGEWIDTH) - 2;
        for (std::size_t at = directory; at < good.size(); ++at)
            for (const int value : {0x00, 0x01, 0x03, 0x7f, 0xff}) {
                std::string bytes = good;
                bytes[at] = char(value);
                write_bytes(path, bytes);
                try {
                    const Image image = read_image(path);
                    CHECK(image.pixels.size() == std::size_t(image.width) * image.height * 3);
                    ++read;
                } catch (const Error&) {
                    ++refused;
                }
            }
    }
    MESSAGE(refused << " refused, " << read << " read");
    CHECK(refused > read / 4);
}

TEST_CASE("not an image: each says what it got") {
    const TemporaryFolder folder;
    write_bytes(folder / "empty.tif", "");
    check_error([&] { read_image(folder / "empty.tif"); }, {"empty.tif", "got an empty file"});
    write_bytes(folder / "text.png", "hello");
    check_error([&] { read_image(folder / "text.png"); }, {"text.png", "got 5 bytes that begin with 68 65 6c"});
    write_bytes(folder / "magic.tif", std::string("II*\0", 4));
    check_error([&] { read_image(folder / "magic.tif"); }, {"magic.tif", "expected a TIFF"});
    check_error([&] { read_image(folder / "none.png"); }, {"none.png", "no such file"});
    check_error([&] { read_image(folder.path()); }, {folder.path().string(), "got a folder"});
    check_error([&] { read_image("/dev/null"); }, {"/dev/null", "got a folder or device"});
}
