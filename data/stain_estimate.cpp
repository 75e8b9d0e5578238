#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "data/stain.h"
#include "data/stain_eigen.h"

namespace karyon {
namespace {

using Vector3 = std::array<double, 3>;

struct Density {
    float r, g, b;
    float least() const { return std::min({r, g, b}); }
    float most() const { return std::max({r, g, b}); }
    float along(const std::array<float, 3>& axis) const { return r * axis[0] + g * axis[1] + b * axis[2]; }
};

template <typename Visit>
void for_each_density(const Image& image, int row, Visit visit) {
    const auto& table = optical_density();
    const std::uint8_t* p = image.at(0, row);
    for (int x = 0; x < image.width; ++x, p += 3) visit(Density{table[p[0]], table[p[1]], table[p[2]]});
}

/// Counts in equal bins. Merging adds integers, so the order of threads does not matter.
class Histogram {
  public:
    Histogram(float low, float high, int per_unit)
        : low_(low), per_unit_(per_unit), counts_(std::size_t((high - low) * per_unit) + 1) {}

    void add(float value) {
        const float bin = std::clamp((value - low_) * per_unit_, 0.f, float(counts_.size() - 1));
        ++counts_[std::size_t(bin)];
    }
    void merge(const Histogram& other) {
        for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    }
    /// The value below which that share of the counts lies, linear inside its bin.
    double percentile(double percent) const {
        double total = 0, below = 0;
        for (auto count : counts_) total += double(count);
        const double wanted = total * percent / 100;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            if (counts_[i] > 0 && below + double(counts_[i]) >= wanted)
                return low_ + (double(i) + (wanted - below) / double(counts_[i])) / per_unit_;
            below += double(counts_[i]);
        }
        return low_;
    }

  private:
    float low_, per_unit_;
    std::vector<std::int64_t> counts_;
};

/// Fills histograms over all rows, each thread its own, then adds them up.
template <std::size_t N, typename Visit>
void fill(std::array<Histogram, N>& histograms, const Image& image, Visit visit) {
    const auto empty = histograms;
#pragma omp parallel
    {
        auto mine = empty;
#pragma omp for nowait
        for (int y = 0; y < image.height; ++y) for_each_density(image, y, [&](Density d) { visit(mine, d); });
#pragma omp critical
        for (std::size_t i = 0; i < N; ++i) histograms[i].merge(mine[i]);
    }
}

struct Moments {
    double count = 0;
    double sum[3] = {};
    double product[6] = {};  ///< rr, rg, rb, gg, gb, bb

    void add(Density d) {
        const double r = d.r, g = d.g, b = d.b;
        ++count;
        sum[0] += r, sum[1] += g, sum[2] += b;
        product[0] += r * r, product[1] += r * g, product[2] += r * b;
        product[3] += g * g, product[4] += g * b, product[5] += b * b;
    }
    void add(const Moments& other) {
        count += other.count;
        for (int i = 0; i < 3; ++i) sum[i] += other.sum[i];
        for (int i = 0; i < 6; ++i) product[i] += other.product[i];
    }
    /// About the origin, not the mean: the plane must hold the colours themselves, since they are projected onto it.
    std::array<Vector3, 3> second() const {
        auto m = [&](int k) { return product[k] / count; };
        return {{{m(0), m(1), m(2)}, {m(1), m(3), m(4)}, {m(2), m(4), m(5)}}};
    }
};

/// Of the pixels that every channel sees. Rows are summed on their own and added in order: the same for any threads.
Moments moments_of(const Image& image, float beta) {
    std::vector<Moments> rows(image.height);
#pragma omp parallel for
    for (int y = 0; y < image.height; ++y)
        for_each_density(image, y, [&](Density d) {
            if (d.least() >= beta) rows[y].add(d);
        });
    Moments total;
    for (const Moments& row : rows) total.add(row);
    return total;
}

/// Grows with the angle of (x, y) from -2 to 2 over the full turn, without a trigonometric function.
float diamond_angle(float x, float y) {
    const float quarter = y / (std::abs(x) + std::abs(y) + 1e-30f);
    return x >= 0 ? quarter : (y >= 0 ? 2 : -2) - quarter;
}

Vector3 direction_of(double diamond, const Vector3& x_axis, const Vector3& y_axis) {
    const double y = std::abs(diamond) <= 1 ? diamond : (diamond > 0 ? 2 : -2) - diamond;
    const double x = std::abs(diamond) <= 1 ? 1 - std::abs(y) : std::abs(y) - 1;
    Vector3 v;
    for (int c = 0; c < 3; ++c) v[c] = (x * x_axis[c] + y * y_axis[c]) / std::hypot(x, y);
    return v;
}

std::array<float, 3> to_float(const Vector3& v) { return {float(v[0]), float(v[1]), float(v[2])}; }

/// The eigenvectors have no sign of their own: the first is turned to where the densities are.
void orient(Vector3& v, const double* towards) {
    if (v[0] * towards[0] + v[1] * towards[1] + v[2] * towards[2] < 0)
        for (double& component : v) component = -component;
}

StainModel fallback(const char* why) {
    StainModel model = reference_stains();
    model.fallback = why;
    return model;
}

const char* defect(const Vector3& a, const Vector3& b, float min_angle) {
    const double cosine = a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    if (!(cosine < std::cos(min_angle * std::numbers::pi / 180))) return "only one stain";
    for (const Vector3& v : {a, b})
        if (!(std::min({v[0], v[1], v[2]}) > -0.1)) return "colours that no two stains give";
    return nullptr;
}

}  // namespace

StainModel estimate_stains(const Image& image, const StainOptions& options) {
    const Moments moments = moments_of(image, options.beta);
    if (moments.count < options.min_pixels) return fallback("too little stained tissue");
    Eigen3 axes = symmetric_eigen(moments.second());
    if (!(axes.values[1] > 1e-7)) return fallback("only one colour");
    orient(axes.vectors[0], moments.sum);

    const auto x_axis = to_float(axes.vectors[0]), y_axis = to_float(axes.vectors[1]);
    std::array<Histogram, 1> angles{Histogram(-2, 2, 1 << 14)};
    fill(angles, image, [&, beta = options.beta](auto& h, Density d) {
        if (d.least() >= beta) h[0].add(diamond_angle(d.along(x_axis), d.along(y_axis)));
    });
    Vector3 first = direction_of(angles[0].percentile(options.alpha), axes.vectors[0], axes.vectors[1]);
    Vector3 second = direction_of(angles[0].percentile(100 - options.alpha), axes.vectors[0], axes.vectors[1]);
    if (const char* why = defect(first, second, options.min_angle)) return fallback(why);
    if (first[0] < second[0]) std::swap(first, second);

    StainModel model;
    std::copy(first.begin(), first.end(), model.stains[0]);
    std::copy(second.begin(), second.end(), model.stains[1]);
    const auto inverse = unmixing(model);
    std::array<Histogram, 2> concentrations{Histogram(0, 32, 1 << 10), Histogram(0, 32, 1 << 10)};
    fill(concentrations, image, [&, beta = options.beta](auto& h, Density d) {
        if (d.most() < beta) return;
        h[0].add(d.along(inverse[0]));
        h[1].add(d.along(inverse[1]));
    });
    for (int s = 0; s < 2; ++s)
        model.max_concentration[s] = float(concentrations[s].percentile(options.max_percentile));
    if (std::min(model.max_concentration[0], model.max_concentration[1]) < 0.02f) return fallback("only one stain");
    return model;
}

}  // namespace karyon
