#pragma once

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace karyon {

/// A decoded picture before it becomes an Image, a Mask or Labels: the samples of the file, unpacked, palette expanded.
struct Raster {
    int width = 0, height = 0;
    int channels = 0;             ///< 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha (not premultiplied)
    std::uint32_t max_value = 0;  ///< full intensity: 2^bits - 1 for 1, 2, 4, 8, 16 or 32 bits
    bool exact = true;  ///< false where the samples are not those that were drawn: lossy, or reduced to 8 bits
    std::vector<std::uint8_t> bytes;  ///< [height, width, channels], samples of sample_bytes() in the machine's order

    int sample_bytes() const { return max_value <= 0xff ? 1 : max_value <= 0xffff ? 2 : 4; }
    std::size_t pixel_count() const { return std::size_t(width) * height; }
    std::size_t row_bytes() const { return std::size_t(width) * channels * sample_bytes(); }
    std::uint32_t sample(std::size_t i) const {
        if (max_value <= 0xff) return bytes[i];
        std::uint32_t wide = 0;
        std::uint16_t narrow = 0;
        if (max_value > 0xffff) return std::memcpy(&wide, &bytes[4 * i], 4), wide;
        return std::memcpy(&narrow, &bytes[2 * i], 2), narrow;
    }
    bool has_alpha() const { return channels == 2 || channels == 4; }

    /// Makes room for the samples. Throws Error(where) when there is not enough memory.
    void allocate(const std::string& where);
};

/// Reads a TIFF, PNG or JPEG file, told apart by content. Errors: see read_image.
Raster read_raster(const std::filesystem::path&);

/// One file being read: its name for messages, its length, and a stream at its start.
struct InputFile {
    struct Close {
        void operator()(std::FILE* stream) const { std::fclose(stream); }
    };
    std::string name;
    std::uint64_t size = 0;  ///< bytes
    std::unique_ptr<std::FILE, Close> stream;
};

Raster decode_png(const InputFile&);
Raster decode_jpeg(const InputFile&);
Raster decode_tiff(const InputFile&);  ///< opens the file again by its name

/// Throws Error unless width x height is from 1 to 2^31 pixels and the file is long enough for that many bytes of
/// samples under a compression of at most max_ratio : 1. To be called before memory is taken on the word of a header.
void check_header(const InputFile&, std::uint64_t width, std::uint64_t height, double sample_bytes, double max_ratio);

}  // namespace karyon
