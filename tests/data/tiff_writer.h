#pragma once

#include <tiffio.h>

#include <algorithm>

#include "tests/data/support.h"

namespace karyon::test {

using Bytes = std::vector<std::uint8_t>;

struct TiffOptions {
    int channels = 3, bits = 8;
    int photometric = PHOTOMETRIC_RGB, compression = COMPRESSION_NONE, predictor = 1;
    int planar = PLANARCONFIG_CONTIG;
    int tile = 0;  ///< side of the square tiles; 0: strips of 8 rows
    bool alpha = false;
    int sample_format = SAMPLEFORMAT_UINT, subfile_type = 0;
    const char* mode = "w";
};

inline void set_fields(TIFF* tiff, int width, int height, const TiffOptions& options) {
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, width);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, height);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, options.channels);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, options.bits);
    TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, options.sample_format);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, options.photometric);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, options.planar);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, options.compression);
    if (options.subfile_type) TIFFSetField(tiff, TIFFTAG_SUBFILETYPE, options.subfile_type);
    if (options.predictor != 1) TIFFSetField(tiff, TIFFTAG_PREDICTOR, options.predictor);
    if (options.compression == COMPRESSION_JPEG && options.photometric == PHOTOMETRIC_YCBCR)
        TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    if (options.tile) {
        TIFFSetField(tiff, TIFFTAG_TILEWIDTH, options.tile);
        TIFFSetField(tiff, TIFFTAG_TILELENGTH, options.tile);
    } else {
        TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, options.compression == COMPRESSION_JPEG ? 16 : 8);
    }
    const std::uint16_t unassociated = EXTRASAMPLE_UNASSALPHA;
    if (options.alpha) TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &unassociated);
    if (options.photometric != PHOTOMETRIC_PALETTE) return;
    std::vector<std::uint16_t> red(256), green(256), blue(256);
    red[0] = 257 * 1, green[0] = 257 * 2, blue[0] = 257 * 3;
    red[1] = 257 * 200, green[1] = 257 * 100, blue[1] = 257 * 50;
    TIFFSetField(tiff, TIFFTAG_COLORMAP, red.data(), green.data(), blue.data());
}

/// The samples of one plane (all channels when interleaved) as rows of bytes.
inline std::vector<Bytes> plane_rows(int height, const Bytes& pixels, const TiffOptions& options, int plane) {
    const std::size_t row_bytes = pixels.size() / height;
    std::vector<Bytes> rows;
    for (int y = 0; y < height; ++y) {
        Bytes row(pixels.begin() + y * row_bytes, pixels.begin() + (y + 1) * row_bytes);
        if (options.planar == PLANARCONFIG_SEPARATE) {
            Bytes one;
            for (std::size_t i = plane; i < row.size(); i += options.channels) one.push_back(row[i]);
            row = one;
        }
        rows.push_back(row);
    }
    return rows;
}

/// Tiles are padded with zeros. For samples of whole bytes.
inline void write_tiles(TIFF* tiff, const std::vector<Bytes>& rows, const TiffOptions& options, int plane) {
    const int channels = options.planar == PLANARCONFIG_SEPARATE ? 1 : options.channels;
    const std::size_t pixel_bytes = std::size_t(channels) * options.bits / 8, side = options.tile;
    const std::size_t width = rows[0].size() / pixel_bytes;
    for (std::size_t y = 0; y < rows.size(); y += side)
        for (std::size_t x = 0; x < width; x += side) {
            Bytes tile(side * side * pixel_bytes);
            for (std::size_t r = 0; r < std::min(side, rows.size() - y); ++r)
                std::copy_n(&rows[y + r][x * pixel_bytes], std::min(side, width - x) * pixel_bytes,
                            &tile[r * side * pixel_bytes]);
            REQUIRE(TIFFWriteTile(tiff, tile.data(), x, y, 0, plane) > 0);
        }
}

/// Writes (or with mode "a", appends) one page from interleaved rows of samples in the machine's order.
inline void make_tiff(const fs::path& path, int width, int height, const Bytes& pixels, const TiffOptions& options) {
    TIFF* tiff = TIFFOpen(path.c_str(), options.mode);
    REQUIRE(tiff);
    set_fields(tiff, width, height, options);
    const int planes = options.planar == PLANARCONFIG_SEPARATE ? options.channels : 1;
    for (int plane = 0; plane < planes; ++plane) {
        std::vector<Bytes> rows = plane_rows(height, pixels, options, plane);
        if (options.tile)
            write_tiles(tiff, rows, options, plane);
        else
            for (int y = 0; y < height; ++y) REQUIRE(TIFFWriteScanline(tiff, rows[y].data(), y, plane) == 1);
    }
    TIFFClose(tiff);
}

/// The 12-byte directory entry of a tag in a little-endian classic TIFF of one page.
inline std::size_t entry_of(const std::string& bytes, int tag) {
    const auto number = [&](std::size_t at, int size) {
        std::size_t value = 0;
        for (int i = size - 1; i >= 0; --i) value = value << 8 | std::uint8_t(bytes[at + i]);
        return value;
    };
    const std::size_t directory = number(4, 4);
    for (std::size_t i = 0; i < number(directory, 2); ++i)
        if (const std::size_t entry = directory + 2 + 12 * i; int(number(entry, 2)) == tag) return entry;
    FAIL("the TIFF has no tag " << tag);
    return 0;
}

/// Overwrites the value of a tag, as one 32-bit number.
inline void set_tag(const fs::path& path, int tag, std::uint32_t value) {
    std::string bytes = read_bytes(path);
    const std::size_t entry = entry_of(bytes, tag);
    bytes[entry + 2] = 4, bytes[entry + 3] = 0;
    for (int i = 0; i < 4; ++i) bytes[entry + 8 + i] = char(value >> (8 * i));
    write_bytes(path, bytes);
}

/// Lets the directory say that the first strip or tile has half of its bytes.
inline void halve_first_block(const fs::path& path) {
    std::string bytes = read_bytes(path);
    TIFF* tiff = TIFFOpen(path.c_str(), "r");
    REQUIRE(tiff);
    const int tag = TIFFIsTiled(tiff) ? TIFFTAG_TILEBYTECOUNTS : TIFFTAG_STRIPBYTECOUNTS;
    const std::uint64_t count = TIFFGetStrileByteCount(tiff, 0);
    TIFFClose(tiff);
    const std::size_t entry = entry_of(bytes, tag);
    const auto byte = [&](std::size_t at) { return std::size_t(std::uint8_t(bytes[at])); };
    const std::size_t at = byte(entry + 8) | byte(entry + 9) << 8 | byte(entry + 10) << 16;
    REQUIRE((byte(at) | byte(at + 1) << 8) == count);
    bytes[at] = char(count / 2), bytes[at + 1] = char((count / 2) >> 8);
    write_bytes(path, bytes);
}

}  // namespace karyon::test
