#include "data/draw.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "data/draw_font.h"
#include "kernels/error.h"

namespace karyon {
namespace {

double distance_to_segment(double x, double y, Point from, Point to) {
    const double dx = to.x - from.x, dy = to.y - from.y, squared = dx * dx + dy * dy;
    const double t = squared > 0 ? std::clamp(((x - from.x) * dx + (y - from.y) * dy) / squared, 0.0, 1.0) : 0;
    return std::hypot(x - from.x - t * dx, y - from.y - t * dy);
}

/// Which input pixels one output pixel is made of, and how much of each.
struct Taps {
    int first = 0;
    std::vector<double> weights;
};

std::vector<Taps> make_taps(int in, int out) {
    std::vector<Taps> taps(out);
    const double step = double(in) / out, radius = std::max(step, 1.0);
    for (int i = 0; i < out; ++i) {
        const double centre = (i + 0.5) * step;
        // Shrinking: the overlap of two boxes; enlarging: the triangle of bilinear interpolation.
        const auto weight = [&](int pixel) {
            if (step <= 1) return std::max(0.0, 1 - std::abs(pixel + 0.5 - centre));
            return std::max(0.0, std::min(pixel + 1.0, centre + step / 2) - std::max(double(pixel), centre - step / 2));
        };
        taps[i].first = std::clamp(int(std::floor(centre - radius)), 0, in - 1);
        const int last = std::clamp(int(std::ceil(centre + radius)), 0, in - 1);
        double sum = 0;
        for (int pixel = taps[i].first; pixel <= last; ++pixel) sum += taps[i].weights.emplace_back(weight(pixel));
        for (double& value : taps[i].weights) value /= sum;
    }
    return taps;
}

}  // namespace

void blend(Image& image, int x, int y, Color color, double opacity) {
    if (x < 0 || y < 0 || x >= image.width || y >= image.height) return;
    std::uint8_t* pixel = image.at(x, y);
    for (int c = 0; c < 3; ++c) pixel[c] = std::uint8_t(std::lround(pixel[c] + (color[c] - pixel[c]) * opacity));
}

void fill_rectangle(Image& image, int x, int y, int width, int height, Color color, double opacity) {
    for (int row = std::max(y, 0); row < std::min(y + height, image.height); ++row)
        for (int column = std::max(x, 0); column < std::min(x + width, image.width); ++column)
            blend(image, column, row, color, opacity);
}

void draw_line(Image& image, Point from, Point to, Color color, double thickness) {
    const double reach = thickness / 2 + 1;
    const int left = std::max(0, int(std::min(from.x, to.x) - reach));
    const int right = std::min(image.width - 1, int(std::max(from.x, to.x) + reach));
    const int top = std::max(0, int(std::min(from.y, to.y) - reach));
    const int bottom = std::min(image.height - 1, int(std::max(from.y, to.y) + reach));
    for (int y = top; y <= bottom; ++y)
        for (int x = left; x <= right; ++x) {
            const double distance = distance_to_segment(x + 0.5, y + 0.5, from, to);
            const double coverage = std::clamp(thickness / 2 + 0.5 - distance, 0.0, 1.0);
            if (coverage > 0) blend(image, x, y, color, coverage);
        }
}

void draw_dot(Image& image, Point centre, double radius, Color color) {
    draw_line(image, centre, centre, color, 2 * radius);
}

void draw_text(Image& image, int x, int y, std::string_view text, Color color, int scale) {
    for (std::size_t i = 0; i < text.size(); ++i)
        for (int row = 0; row < glyph_height; ++row)
            for (int column = 0; column < glyph_width; ++column)
                if (glyph_ink(text[i], column, row))
                    fill_rectangle(image, x + (int(i) * (glyph_width + 1) + column) * scale, y + row * scale, scale,
                                   scale, color);
}

int text_width(std::string_view text, int scale) {
    return text.empty() ? 0 : (int(text.size()) * (glyph_width + 1) - 1) * scale;
}

int text_height(int scale) { return glyph_height * scale; }

void paste(Image& target, const Image& source, int x, int y) {
    const int left = std::max(0, -x), right = std::min(source.width, target.width - x);
    if (left >= right) return;
    for (int row = std::max(0, -y); row < std::min(source.height, target.height - y); ++row)
        std::copy_n(source.at(left, row), std::size_t(right - left) * 3, target.at(x + left, y + row));
}

Image resized(const Image& image, int width, int height) {
    if (image.width < 1 || image.height < 1 || width < 1 || height < 1)
        throw Error("resized", "expected sizes of at least 1x1, got {}x{} to {}x{}", image.width, image.height, width,
                    height);
    const std::vector<Taps> across = make_taps(image.width, width), down = make_taps(image.height, height);
    std::vector<double> rows(std::size_t(image.height) * width * 3, 0.0);
    for (int y = 0; y < image.height; ++y)
        for (int x = 0; x < width; ++x)
            for (std::size_t k = 0; k < across[x].weights.size(); ++k)
                for (int c = 0; c < 3; ++c)
                    rows[(std::size_t(y) * width + x) * 3 + c] +=
                        across[x].weights[k] * image.at(across[x].first + int(k), y)[c];
    Image result(width, height);
    for (int y = 0; y < height; ++y)
        for (std::size_t i = 0; i < std::size_t(width) * 3; ++i) {
            double sum = 0;
            for (std::size_t k = 0; k < down[y].weights.size(); ++k)
                sum += down[y].weights[k] * rows[std::size_t(down[y].first + int(k)) * width * 3 + i];
            result.pixels[std::size_t(y) * width * 3 + i] = std::uint8_t(std::clamp(std::lround(sum), 0L, 255L));
        }
    return result;
}

}  // namespace karyon
