#include "data/dataset.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "data/aperio.h"
#include "data/image_io.h"
#include "data/labels.h"
#include "kernels/error.h"

namespace karyon {

namespace fs = std::filesystem;

namespace {

constexpr std::array image_suffixes{".tif", ".tiff", ".png", ".jpg", ".jpeg"};
constexpr std::array mask_suffixes{".png"};
constexpr std::array label_suffixes{".png", ".tif"};
constexpr std::array annotation_suffixes{".xml"};

std::string upper(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return char(std::toupper(c)); });
    return text;
}

bool is_there(const fs::path& path) {
    std::error_code unreadable;
    return fs::exists(path, unreadable);
}

std::string tried(const fs::path& folder, const std::string& name, std::span<const char* const> suffixes) {
    const std::string stem = (folder / name).string();
    if (suffixes.size() == 1) return stem + suffixes[0];
    return fmt::format("{}{{{}}}", stem, fmt::join(suffixes, ","));
}

void check_size(const fs::path& path, int width, int height, const fs::path& image_path, const Image& image) {
    if (width != image.width || height != image.height)
        throw Error(path.string(), "expected {} x {} pixels as in {}, got {} x {}", image.width, image.height,
                    image_path.string(), width, height);
}

}  // namespace

DataFolder::DataFolder(fs::path root) : root_(std::move(root)) {
    std::error_code unreadable;
    if (!fs::is_directory(root_ / "images", unreadable))
        throw Error(root_.string(), "expected a data folder with a folder `images` in it, got none");
}

std::optional<fs::path> DataFolder::find(const char* folder, const std::string& name,
                                         std::span<const char* const> suffixes) const {
    for (const char* suffix : suffixes)
        for (const std::string& spelling : {std::string(suffix), upper(suffix)})
            if (fs::path path = root_ / folder / (name + spelling); is_there(path)) return path;
    return std::nullopt;
}

fs::path DataFolder::find_image(const std::string& name) const {
    if (const auto path = find("images", name, image_suffixes)) return *path;
    throw Error(root_.string(), "expected an image {}, got none", tried(root_ / "images", name, image_suffixes));
}

std::vector<fs::path> DataFolder::find_images(const Split& split) const {
    std::vector<fs::path> paths;
    for (const Split::Entry& entry : split.entries) {
        const auto path = find("images", entry.name, image_suffixes);
        if (!path)
            throw Error(fmt::format("{}, line {}", split.path.string(), entry.line), "expected an image {}, got none",
                        tried(root_ / "images", entry.name, image_suffixes));
        paths.push_back(*path);
    }
    return paths;
}

Case DataFolder::read_case(const std::string& name, const std::string& organ) const {
    const fs::path image_path = find_image(name);
    Case result{name, organ, read_image(image_path), {}, {}};
    const Image& image = result.image;
    if (const auto path = find("labels", name, label_suffixes)) {
        result.labels = read_labels(*path);
        check_size(*path, result.labels->width, result.labels->height, image_path, image);
    } else if (const auto xml = find("annotations", name, annotation_suffixes)) {
        const AperioOutlines outlines = read_aperio(*xml);
        result.labels = rasterise(outlines.regions, image.width, image.height, outlines.holes);
    }
    if (const auto path = find("masks", name, mask_suffixes)) {
        result.mask = read_mask(*path);
        check_size(*path, result.mask.width, result.mask.height, image_path, image);
    } else if (result.labels) {
        result.mask = mask_of(*result.labels);
    } else {
        throw Error(image_path.string(), "expected a ground truth {}, {} or {}, got none",
                    tried(root_ / "masks", name, mask_suffixes), tried(root_ / "labels", name, label_suffixes),
                    tried(root_ / "annotations", name, annotation_suffixes));
    }
    return result;
}

}  // namespace karyon
