#include "data/rasterise.h"

#include <algorithm>
#include <cmath>

#include "kernels/error.h"

namespace karyon {

namespace {

/// The integers c with low <= c < high that are also 0 <= c < limit, as a half-open range. Clamped before the
/// conversion: a far coordinate does not fit an int.
struct Range {
    int begin, end;
    Range(double low, double high, int limit)
        : begin(int(std::clamp(std::ceil(low), 0., double(limit)))),
          end(int(std::clamp(std::ceil(high), 0., double(limit)))) {}
};

/// Finds the pixels of one polygon after another, keeping its buckets between them.
class ColumnScanner {
  public:
    ColumnScanner(int width, int height) : width_(width), height_(height), crossings_(width) {}

    /// Calls visit(column, first row, end row) for every run of pixels inside the polygon.
    template <typename Visit>
    void scan(const Polygon& polygon, Visit visit) {
        if (polygon.size() < 3) return;
        int first = width_, end = 0;
        for (std::size_t i = 0; i < polygon.size(); ++i) {
            const Range columns = add_edge(polygon[i], polygon[i + 1 < polygon.size() ? i + 1 : 0]);
            first = std::min(first, columns.begin), end = std::max(end, columns.end);
        }
        for (int column = first; column < end; ++column) {
            std::vector<double>& rows = crossings_[column];
            std::sort(rows.begin(), rows.end());
            // A closed outline crosses a column an even number of times: inside is between each crossing and its
            // partner.
            for (std::size_t k = 0; k + 1 < rows.size(); k += 2) {
                const Range run(rows[k], rows[k + 1], height_);
                if (run.begin < run.end) visit(column, run.begin, run.end);
            }
            rows.clear();
        }
    }

  private:
    Range add_edge(const Point& a, const Point& b) {
        if (!(std::abs(a.x) <= max_coordinate && std::abs(a.y) <= max_coordinate))
            throw Error("rasterise", "expected coordinates of at most {:g}, got ({}, {})", max_coordinate, a.x, a.y);
        const Range columns(std::min(a.x, b.x), std::max(a.x, b.x), width_);
        for (int column = columns.begin; column < columns.end; ++column)
            crossings_[column].push_back(a.y + (column - a.x) / (b.x - a.x) * (b.y - a.y));
        return columns;
    }

    int width_, height_;
    std::vector<std::vector<double>> crossings_;  ///< of each column with the polygon at hand: the rows
};

}  // namespace

Labels rasterise(std::span<const Polygon> polygons, int width, int height, std::span<const Polygon> holes) {
    if (width < 1 || height < 1) throw Error("rasterise", "expected at least 1 x 1 pixels, got {} x {}", width, height);
    Labels labels(width, height);
    ColumnScanner scanner(width, height);
    for (std::size_t i = 0; i < polygons.size(); ++i)
        scanner.scan(polygons[i], [&](int column, int begin, int end) {
            for (int row = begin; row < end; ++row) {
                std::int32_t& id = labels.ids[std::size_t(row) * width + column];
                if (id == 0) id = std::int32_t(i + 1);
            }
        });
    for (const Polygon& hole : holes)
        scanner.scan(hole, [&](int column, int begin, int end) {
            for (int row = begin; row < end; ++row) labels.ids[std::size_t(row) * width + column] = 0;
        });
    return labels;
}

}  // namespace karyon
