#include "data/labels.h"

#include <cstdint>

#include "data/image_io.h"
#include "data/image_raster.h"
#include "kernels/error.h"

namespace karyon {

namespace {

struct DrawnValues {
    const Raster& raster;
    const std::string& file;

    /// The value of pixel i, when it is gray and opaque.
    std::uint32_t operator()(std::size_t i) const {
        const std::size_t first = i * raster.channels;
        const std::uint32_t value = raster.sample(first);
        const int colors = raster.channels < 3 ? 1 : 3;
        for (int c = 1; c < colors; ++c)
            if (raster.sample(first + c) != value) fail(i, "a coloured one");
        if (raster.has_alpha() && raster.sample(first + colors) != raster.max_value) fail(i, "a transparent one");
        return value;
    }

    [[noreturn]] void fail(std::size_t i, const char* found) const {
        throw Error(file, "expected gray pixels in a mask or label image, got {} at x {}, y {}", found,
                    i % raster.width, i / raster.width);
    }
};

Raster read_drawn(const std::filesystem::path& path) {
    Raster raster = read_raster(path);
    if (!raster.exact)
        throw Error(path.string(), "expected a lossless, opaque gray image for a mask or labels, got {}",
                    "JPEG compression, transparency or colours that were reduced to 8 bits");
    return raster;
}

}  // namespace

Labels read_labels(const std::filesystem::path& path) {
    const std::string file = path.string();
    const Raster raster = read_drawn(path);
    Labels labels(raster.width, raster.height);
    const DrawnValues value_at{raster, file};
    for (std::size_t i = 0; i < labels.ids.size(); ++i) {
        const std::uint32_t id = value_at(i);
        if (id > INT32_MAX) throw Error(file, "expected ids of at most {}, got {}", INT32_MAX, id);
        labels.ids[i] = std::int32_t(id);
    }
    return labels;
}

Mask read_mask(const std::filesystem::path& path) {
    const std::string file = path.string();
    const Raster raster = read_drawn(path);
    Mask mask(raster.width, raster.height);
    const DrawnValues value_at{raster, file};
    for (std::size_t i = 0; i < mask.pixels.size(); ++i) mask.pixels[i] = value_at(i) != 0;
    return mask;
}

void write_labels(const std::filesystem::path& path, const Labels& labels) {
    std::vector<std::uint16_t> values(labels.ids.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (labels.ids[i] < 0 || labels.ids[i] > UINT16_MAX)
            throw Error(path.string(), "expected ids from 0 to {}, got {}", UINT16_MAX, labels.ids[i]);
        values[i] = std::uint16_t(labels.ids[i]);
    }
    write_png16(path, labels.width, labels.height, values);
}

void write_mask(const std::filesystem::path& path, const Mask& mask) {
    std::vector<std::uint8_t> values(mask.pixels.size());
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = mask.pixels[i] ? 255 : 0;
    write_png(path, mask.width, mask.height, values);
}

}  // namespace karyon
