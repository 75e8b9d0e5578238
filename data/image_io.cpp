#include "data/image_io.h"

#include "data/image_raster.h"
#include "kernels/error.h"

namespace karyon {

namespace {

std::uint8_t to_8_bits(std::uint32_t value, std::uint32_t max_value) {
    return std::uint8_t((value * 255u + max_value / 2) / max_value);
}

std::uint8_t over_white(std::uint8_t value, std::uint8_t alpha) {
    return std::uint8_t((value * alpha + 255 * (255 - alpha) + 127) / 255);
}

}  // namespace

Image read_image(const std::filesystem::path& path) {
    Raster raster = read_raster(path);
    if (raster.max_value > 0xffff) throw Error(path.string(), "expected samples of at most 16 bits, got 32");
    Image image;
    image.width = raster.width, image.height = raster.height;
    if (raster.channels == 3 && raster.max_value == 255) {
        image.pixels = std::move(raster.bytes);
        return image;
    }
    image = Image(raster.width, raster.height);
    const int colors = raster.channels < 3 ? 1 : 3;
    for (std::size_t i = 0; i < raster.pixel_count(); ++i) {
        const auto sample = [&](int c) { return to_8_bits(raster.sample(i * raster.channels + c), raster.max_value); };
        const std::uint8_t alpha = raster.has_alpha() ? sample(raster.channels - 1) : 255;
        for (int c = 0; c < 3; ++c) image.pixels[3 * i + c] = over_white(sample(c < colors ? c : 0), alpha);
    }
    return image;
}

}  // namespace karyon
