#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace karyon {

/// A picture of 8-bit RGB pixels, row by row, interleaved.
struct Image {
    int width = 0, height = 0;
    std::vector<std::uint8_t> pixels;  ///< [height, width, 3]

    Image() = default;
    Image(int width_, int height_, std::uint8_t fill = 0)
        : width(width_), height(height_), pixels(std::size_t(width_) * height_ * 3, fill) {}
    const std::uint8_t* at(int x, int y) const { return &pixels[(std::size_t(y) * width + x) * 3]; }
    std::uint8_t* at(int x, int y) { return &pixels[(std::size_t(y) * width + x) * 3]; }
};

/// A binary mask: 0 background, 1 nucleus, one byte a pixel.
struct Mask {
    int width = 0, height = 0;
    std::vector<std::uint8_t> pixels;  ///< [height, width]

    Mask() = default;
    Mask(int width_, int height_) : width(width_), height(height_), pixels(std::size_t(width_) * height_) {}
};

/// Instance labels: 0 background, 1..N one number a nucleus.
struct Labels {
    int width = 0, height = 0;
    std::vector<std::int32_t> ids;  ///< [height, width]

    Labels() = default;
    Labels(int width_, int height_) : width(width_), height(height_), ids(std::size_t(width_) * height_) {}
};

/// Where labels > 0.
Mask mask_of(const Labels&);

}  // namespace karyon
