#include "optim/curves.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

namespace karyon {
namespace {

constexpr Color paper = {255, 255, 255}, ink = {40, 40, 40}, grid = {226, 226, 226}, axis = {120, 120, 120};
constexpr Color blue = {31, 104, 190}, orange = {217, 95, 2}, green = {27, 140, 80};

struct Range {
    double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();

    void include(double value) { low = std::min(low, value), high = std::max(high, value); }

    /// Some room above and below; a range of its own for no values or a single one.
    Range padded(double share) const {
        if (!(low <= high)) return {0, 1};
        const double room = high > low ? (high - low) * share : std::max(std::abs(low) * 0.1, 0.5);
        return {low - room, high + room};
    }
};

bool finite(Point point) { return std::isfinite(point.x) && std::isfinite(point.y); }

/// The plotting area of a chart and how values map to pixels in it.
struct Frame {
    double left, top, right, bottom;
    Range x, y;

    Point at(Point value) const {
        return {left + (value.x - x.low) / (x.high - x.low) * (right - left),
                bottom - (value.y - y.low) / (y.high - y.low) * (bottom - top)};
    }
};

Frame make_frame(const Chart& chart, int width, int height) {
    Range x, y;
    for (const Curve& curve : chart.curves)
        for (const Point& point : curve.points)
            if (finite(point)) x.include(point.x), y.include(point.y);
    const double left = 52.5, top = 44.5;
    return {left, top, width - 14.5, height - 44.5, x.padded(0), y.padded(0.06)};
}

void draw_axes(Image& image, const Frame& frame, const Chart& chart) {
    for (const double value : round_ticks(frame.y.low, frame.y.high, 6)) {
        const double y = std::floor(frame.at({frame.x.low, value}).y) + 0.5;
        draw_line(image, {frame.left, y}, {frame.right, y}, grid, 1);
        const std::string label = fmt::format("{:.4g}", value);
        draw_text(image, int(frame.left) - 8 - text_width(label), int(y) - text_height() / 2, label, ink);
    }
    for (const double value : round_ticks(frame.x.low, frame.x.high, 7)) {
        const double x = std::floor(frame.at({value, frame.y.low}).x) + 0.5;
        draw_line(image, {x, frame.top}, {x, frame.bottom}, grid, 1);
        const std::string label = fmt::format("{:.4g}", value);
        draw_text(image, int(x) - text_width(label) / 2, int(frame.bottom) + 8, label, ink);
    }
    draw_line(image, {frame.left, frame.top}, {frame.left, frame.bottom}, axis, 1);
    draw_line(image, {frame.left, frame.bottom}, {frame.right, frame.bottom}, axis, 1);
    draw_text(image, int(frame.left), 14, chart.title, ink, 2);
    const int middle = int(frame.left + frame.right) / 2;
    draw_text(image, middle - text_width(chart.x_label) / 2, int(frame.bottom) + 26, chart.x_label, ink);
}

Color pale(Color color) {
    for (std::uint8_t& channel : color) channel = std::uint8_t(255 - (255 - channel) * 0.3);
    return color;
}

void draw_curve(Image& image, const Frame& frame, const Curve& curve) {
    const Point* previous = nullptr;
    for (const Point& point : curve.points) {
        if (!finite(point)) continue;
        if (previous)
            draw_line(image, frame.at(*previous), frame.at(point), curve.faint ? pale(curve.color) : curve.color,
                      curve.faint ? 1 : 2);
        if (!curve.faint && curve.points.size() <= 60) draw_dot(image, frame.at(point), 2.5, curve.color);
        previous = &point;
    }
}

void draw_legend(Image& image, const Frame& frame, const Chart& chart) {
    int x = int(frame.right);
    for (auto curve = chart.curves.rbegin(); curve != chart.curves.rend(); ++curve) {
        if (curve->faint || curve->points.empty()) continue;
        x -= text_width(curve->name);
        draw_text(image, x, int(frame.top) - 12, curve->name, ink);
        draw_line(image, {x - 20.0, frame.top - 8.5}, {x - 7.0, frame.top - 8.5}, curve->color, 2.5);
        x -= 38;
    }
}

/// The mean over a centred window of about a twentieth of the points, narrower near both ends.
std::vector<Point> smoothed(const std::vector<Point>& points) {
    std::vector<Point> finite_points;
    std::ranges::copy_if(points, std::back_inserter(finite_points), finite);
    std::vector<double> sums = {0};
    for (const Point& point : finite_points) sums.push_back(sums.back() + point.y);
    const std::ptrdiff_t count = std::ssize(finite_points), half = count / 40;
    for (std::ptrdiff_t i = 0; i < count; ++i) {
        const std::ptrdiff_t reach = std::min({half, i, count - 1 - i});
        finite_points[i].y = (sums[i + reach + 1] - sums[i - reach]) / double(2 * reach + 1);
    }
    return finite_points;
}

}  // namespace

std::vector<double> round_ticks(double low, double high, int count) {
    const double rough = (high - low) / std::max(1, count), power = std::pow(10, std::floor(std::log10(rough)));
    const double lead = rough / power, step = power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
    std::vector<double> ticks;
    for (double k = std::ceil(low / step - 1e-9); k * step <= high + step * 1e-9; ++k)
        ticks.push_back(k == 0 ? 0 : k * step);
    return ticks;
}

Image draw_chart(const Chart& chart, int width, int height) {
    Image image(width, height);
    fill_rectangle(image, 0, 0, width, height, paper);
    const Frame frame = make_frame(chart, width, height);
    draw_axes(image, frame, chart);
    for (const Curve& curve : chart.curves)
        if (curve.faint) draw_curve(image, frame, curve);
    for (const Curve& curve : chart.curves)
        if (!curve.faint) draw_curve(image, frame, curve);
    draw_legend(image, frame, chart);
    const bool empty = std::ranges::all_of(chart.curves, [](const Curve& curve) { return curve.points.empty(); });
    if (empty) draw_text(image, width / 2 - text_width("no values yet") / 2, height / 2, "no values yet", axis);
    return image;
}

Image draw_training_curves(const TrainingHistory& history, const std::string& title) {
    constexpr int width = 900, height = 500, header = 30;
    const Chart loss{"Training loss",
                     "epoch",
                     {{"", blue, history.train_loss, true}, {"smoothed", blue, smoothed(history.train_loss), false}}};
    const Chart dice{"Validation Dice",
                     "epoch",
                     {{"per-image mean", orange, history.validation_dice, false},
                      {"pooled", green, history.validation_pooled_dice, false}}};
    Image image(width, height);
    fill_rectangle(image, 0, 0, width, height, paper);
    draw_text(image, (width - text_width(title, 2)) / 2, 10, title, ink, 2);
    paste(image, draw_chart(loss, width / 2, height - header), 0, header);
    paste(image, draw_chart(dice, width / 2, height - header), width / 2, header);
    return image;
}

}  // namespace karyon
