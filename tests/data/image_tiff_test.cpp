#include "data/image_io.h"
#include "tests/data/support.h"
#include "tests/data/tiff_writer.h"

using namespace karyon;
using namespace karyon::test;

TEST_CASE("tiff: RGB under every lossless compression, in strips and tiles") {
    const TemporaryFolder folder;
    const Image image = noise_image(37, 21);
    for (const int compression : {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_PACKBITS, COMPRESSION_ADOBE_DEFLATE})
        for (const int tile : {0, 16})
            for (const int planar : {PLANARCONFIG_CONTIG, PLANARCONFIG_SEPARATE}) {
                CAPTURE(compression);
                CAPTURE(tile);
                CAPTURE(planar);
                const TiffOptions options{.compression = compression, .planar = planar, .tile = tile};
                make_tiff(folder / "a.tif", image.width, image.height, image.pixels, options);
                const Image again = read_image(folder / "a.tif");
                CHECK(again.width == 37);
                CHECK(again.height == 21);
                CHECK(again.pixels == image.pixels);
            }
}

TEST_CASE("tiff: big-endian, BigTIFF, predictor") {
    const TemporaryFolder folder;
    const Image image = noise_image(20, 20);
    for (const char* mode : {"wb", "wl", "w8"}) {
        make_tiff(folder / "a.tif", 20, 20, image.pixels,
                  {.compression = COMPRESSION_LZW, .predictor = 2, .mode = mode});
        CHECK(read_image(folder / "a.tif").pixels == image.pixels);
    }
}

TEST_CASE("tiff: JPEG compression in strips and tiles") {
    const TemporaryFolder folder;
    Image image(48, 48);
    for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = std::uint8_t(60 + 70 * (i % 3));
    for (const int tile : {0, 16})
        for (const int photometric : {PHOTOMETRIC_RGB, PHOTOMETRIC_YCBCR}) {
            make_tiff(folder / "a.tif", 48, 48, image.pixels,
                      {.photometric = photometric, .compression = COMPRESSION_JPEG, .tile = tile});
            const Image again = read_image(folder / "a.tif");
            REQUIRE(again.pixels.size() == image.pixels.size());
            int largest = 0;
            for (std::size_t i = 0; i < image.pixels.size(); ++i)
                largest = std::max(largest, std::abs(again.pixels[i] - image.pixels[i]));
            CHECK(largest <= 3);
        }
}

TEST_CASE("tiff: gray of 1, 8 and 16 bits, black or white zero, strips and tiles") {
    const TemporaryFolder folder;
    for (const int tile : {0, 16}) {
        const Bytes gray = noise(35 * 18);
        TiffOptions options{.channels = 1, .photometric = PHOTOMETRIC_MINISBLACK, .tile = tile};
        make_tiff(folder / "8.tif", 35, 18, gray, options);
        const Image image = read_image(folder / "8.tif");
        for (std::size_t i = 0; i < gray.size(); ++i) CHECK(image.pixels[3 * i + i % 3] == gray[i]);

        options.photometric = PHOTOMETRIC_MINISWHITE;
        make_tiff(folder / "w.tif", 35, 18, gray, options);
        CHECK(read_image(folder / "w.tif").pixels[30] == 255 - gray[10]);

        options.photometric = PHOTOMETRIC_MINISBLACK, options.bits = 16;
        make_tiff(folder / "16.tif", 2, 1, {0, 0, 0xff, 0xff}, options);
        CHECK(read_image(folder / "16.tif").pixels == Bytes{0, 0, 0, 255, 255, 255});
    }
    make_tiff(folder / "1.tif", 3, 1, {0b01000000}, {.channels = 1, .bits = 1, .photometric = PHOTOMETRIC_MINISBLACK});
    CHECK(read_image(folder / "1.tif").pixels == Bytes{0, 0, 0, 255, 255, 255, 0, 0, 0});
}

TEST_CASE("tiff: 16-bit RGB, alpha, palette, CMYK") {
    const TemporaryFolder folder;
    make_tiff(folder / "16.tif", 1, 1, {0x00, 0x00, 0x80, 0x80, 0xff, 0xff}, {.bits = 16});
    CHECK(read_image(folder / "16.tif").pixels == Bytes{0, 0x80, 255});
    make_tiff(folder / "rgba.tif", 2, 1, {10, 20, 30, 255, 10, 20, 30, 0}, {.channels = 4, .alpha = true});
    CHECK(read_image(folder / "rgba.tif").pixels == Bytes{10, 20, 30, 255, 255, 255});
    make_tiff(folder / "ga.tif", 2, 1, {10, 255, 10, 0},
              {.channels = 2, .photometric = PHOTOMETRIC_MINISBLACK, .alpha = true});
    CHECK(read_image(folder / "ga.tif").pixels == Bytes{10, 10, 10, 255, 255, 255});
    make_tiff(folder / "palette.tif", 2, 1, {1, 0}, {.channels = 1, .photometric = PHOTOMETRIC_PALETTE});
    CHECK(read_image(folder / "palette.tif").pixels == Bytes{200, 100, 50, 1, 2, 3});
    make_tiff(folder / "cmyk.tif", 1, 1, {0, 51, 255, 51}, {.channels = 4, .photometric = PHOTOMETRIC_SEPARATED});
    CHECK(read_image(folder / "cmyk.tif").pixels == Bytes{204, 163, 0});
}

TEST_CASE("tiff: of several pages, the first at full resolution") {
    const TemporaryFolder folder;
    const TiffOptions reduced{.subfile_type = FILETYPE_REDUCEDIMAGE};
    make_tiff(folder / "a.tif", 4, 4, noise(48, 2), reduced);
    make_tiff(folder / "a.tif", 8, 8, noise(192, 3), {.mode = "a"});
    make_tiff(folder / "a.tif", 9, 9, noise(243, 4), {.mode = "a"});
    CHECK(read_image(folder / "a.tif").pixels == noise(192, 3));
    make_tiff(folder / "b.tif", 4, 4, noise(48, 2), reduced);
    CHECK(read_image(folder / "b.tif").pixels == noise(48, 2));
}

TEST_CASE("tiff: truncated files are errors under every compression") {
    const TemporaryFolder folder;
    const Image image = noise_image(48, 40);
    for (const int compression :
         {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_PACKBITS, COMPRESSION_ADOBE_DEFLATE, COMPRESSION_JPEG}) {
        CAPTURE(compression);
        make_tiff(folder / "rgb.tif", 48, 40, image.pixels, {.compression = compression});
        check_all_truncations(folder / "rgb.tif", read_image, 20);
        const Bytes gray(image.pixels.begin(), image.pixels.begin() + 48 * 40);
        make_tiff(folder / "gray.tif", 48, 40, gray,
                  {.channels = 1, .photometric = PHOTOMETRIC_MINISBLACK, .compression = compression, .tile = 16});
        check_all_truncations(folder / "gray.tif", read_image, 20);
    }
}

TEST_CASE("tiff: pixel data that ends early inside a whole file is an error") {
    const TemporaryFolder folder;
    const Image image = noise_image(48, 40);
    for (const int compression :
         {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_PACKBITS, COMPRESSION_ADOBE_DEFLATE, COMPRESSION_JPEG})
        for (const int tile : {0, 16}) {
            CAPTURE(compression);
            make_tiff(folder / "a.tif", 48, 40, image.pixels, {.compression = compression, .tile = tile});
            halve_first_block(folder / "a.tif");
            // Of uncompressed blocks libtiff finds the length without the count, and the pixels are all there.
            if (compression == COMPRESSION_NONE)
                CHECK(read_image(folder / "a.tif").pixels == image.pixels);
            else
                check_error([&] { read_image(folder / "a.tif"); }, {"a.tif", "expected", "got"});
        }
}

TEST_CASE("tiff: kinds that are not taken name what was found") {
    const TemporaryFolder folder;
    TiffOptions options{.channels = 1, .bits = 32, .photometric = PHOTOMETRIC_MINISBLACK};
    make_tiff(folder / "32.tif", 1, 1, {1, 0, 0, 0}, options);
    check_error([&] { read_image(folder / "32.tif"); }, {"32.tif", "at most 16 bits", "got 32"});
    options.sample_format = SAMPLEFORMAT_IEEEFP;
    make_tiff(folder / "float.tif", 1, 1, {0, 0, 0, 0}, options);
    check_error([&] { read_image(folder / "float.tif"); }, {"float.tif", "32 bits, sample format 3"});
}
