#include "data/draw_overlay.h"

#include <algorithm>
#include <cmath>

#include "kernels/error.h"

namespace karyon {
namespace {

constexpr double fill_opacity = 0.12, class_opacity = 0.55, outline_opacity = 0.95;
constexpr int gap = 8, text_scale = 2;
constexpr Color paper = {255, 255, 255}, ink = {30, 30, 30};

void check_size(const Image& image, const Mask& mask, const char* what) {
    if (image.width != mask.width || image.height != mask.height)
        throw Error("overlay", "expected a {} of {}x{} like the image, got {}x{}", what, image.width, image.height,
                    mask.width, mask.height);
}

bool inside(const Mask& mask, int x, int y) {
    return x >= 0 && y >= 0 && x < mask.width && y < mask.height && mask.pixels[std::size_t(y) * mask.width + x];
}

/// A pixel of the mask with a background pixel among its eight neighbours; the border of the image does not count.
bool on_outline(const Mask& mask, int x, int y) {
    if (!inside(mask, x, y)) return false;
    for (int j = std::max(0, y - 1); j <= std::min(mask.height - 1, y + 1); ++j)
        for (int i = std::max(0, x - 1); i <= std::min(mask.width - 1, x + 1); ++i)
            if (!inside(mask, i, j)) return true;
    return false;
}

/// Half-bright gray, so that the colours laid over it are not mistaken for stain.
Image faded(const Image& image) {
    Image result = image;
    for (std::size_t i = 0; i < result.pixels.size(); i += 3) {
        const int gray = (77 * image.pixels[i] + 150 * image.pixels[i + 1] + 29 * image.pixels[i + 2]) / 256;
        std::fill_n(&result.pixels[i], 3, std::uint8_t(96 + gray * 5 / 8));
    }
    return result;
}

Image fitted(const Image& image, int cell) {
    const double scale = std::min(4.0, double(cell) / std::max(image.width, image.height));
    return resized(image, std::max(1, int(std::lround(image.width * scale))),
                   std::max(1, int(std::lround(image.height * scale))));
}

void draw_legend(Image& image, int x, int y) {
    const auto entry = [&](Color color, const char* text) {
        fill_rectangle(image, x, y, 14, 14, color);
        draw_text(image, x + 20, y, text, ink, text_scale);
        x += 20 + text_width(text, text_scale) + 24;
    };
    entry(colors::true_positive, "nucleus found");
    entry(colors::false_positive, "false positive");
    entry(colors::false_negative, "missed");
}

/// As much of the caption as fits into `width` pixels.
std::string shortened(const std::string& caption, int width) {
    std::string text = caption;
    while (!text.empty() && text_width(text, text_scale) > width) text.pop_back();
    return text;
}

}  // namespace

Image overlay(const Image& image, const Mask& prediction) {
    check_size(image, prediction, "mask");
    Image result = image;
    for (int y = 0; y < image.height; ++y)
        for (int x = 0; x < image.width; ++x)
            if (inside(prediction, x, y))
                blend(result, x, y, colors::contour, on_outline(prediction, x, y) ? outline_opacity : fill_opacity);
    return result;
}

Image overlay(const Image& image, const Mask& prediction, const Mask& truth) {
    check_size(image, prediction, "mask");
    check_size(image, truth, "truth");
    Image result = faded(image);
    for (int y = 0; y < image.height; ++y)
        for (int x = 0; x < image.width; ++x) {
            const bool found = inside(prediction, x, y), real = inside(truth, x, y);
            if (!found && !real) continue;
            const Color color = !found  ? colors::false_negative
                                : !real ? colors::false_positive
                                        : colors::true_positive;
            blend(result, x, y, color, on_outline(truth, x, y) ? outline_opacity : class_opacity);
        }
    return result;
}

Image picture_of(const Mask& mask) {
    Image result(mask.width, mask.height);
    for (std::size_t i = 0; i < mask.pixels.size(); ++i)
        std::fill_n(&result.pixels[i * 3], 3, std::uint8_t(mask.pixels[i] ? 255 : 0));
    return result;
}

Image arrange(const std::vector<std::vector<Panel>>& rows, int cell, bool legend) {
    std::size_t columns = 0;
    for (const auto& row : rows) columns = std::max(columns, row.size());
    if (!columns) throw Error("arrange", "expected at least one panel, got none");
    const int band = text_height(text_scale) + gap;
    std::vector<Image> pictures;
    int height = gap + (legend ? band : 0);
    for (const auto& row : rows) {
        int tallest = 0;
        for (const Panel& panel : row)
            tallest = std::max(tallest, pictures.emplace_back(fitted(panel.picture, cell)).height);
        height += band + tallest + gap;
    }
    Image result(gap + int(columns) * (cell + gap), height, 255);
    fill_rectangle(result, 0, 0, result.width, result.height, paper);
    std::size_t next = 0;
    int y = gap;
    for (const auto& row : rows) {
        int tallest = 0;
        for (std::size_t i = 0; i < row.size(); ++i) {
            const Image& picture = pictures[next++];
            const int x = gap + int(i) * (cell + gap);
            draw_text(result, x, y, shortened(row[i].caption, cell), ink, text_scale);
            paste(result, picture, x, y + band);
            tallest = std::max(tallest, picture.height);
        }
        y += band + tallest + gap;
    }
    if (legend) draw_legend(result, gap, y);
    return result;
}

}  // namespace karyon
