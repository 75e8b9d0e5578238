#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "data/stain.h"
#include "data/stain_eigen.h"
#include "kernels/simd.h"

namespace karyon {
namespace {

using Vector3 = std::array<double, 3>;

/// The optical densities of some neighbouring pixels, a channel after the other, so that the loops below vectorise.
struct Densities {
    static constexpr int most = 1024;
    int count = 0;
    float r[most], g[most], b[most];

    void read(const std::uint8_t* pixels, int pixel_count) {
        const auto& table = optical_density();
        count = pixel_count;
        for (int i = 0; i < count; ++i, pixels += 3)
            r[i] = table[pixels[0]], g[i] = table[pixels[1]], b[i] = table[pixels[2]];
    }
};

/// Calls visit(densities) for all pixels of a row.
template <typename Visit>
void for_each_run(const Image& image, int row, Densities& densities, Visit visit) {
    for (int x = 0; x < image.width; x += Densities::most) {
        densities.read(image.at(x, row), std::min(Densities::most, image.width - x));
        visit(densities);
    }
}

// Without std::min, whose references keep the loops from being vectorised.
KARYON_INLINE float least(float a, float b) { return a < b ? a : b; }
KARYON_INLINE float most(float a, float b) { return a > b ? a : b; }

/// Counts in equal bins. Merging adds integers, so the order of threads does not matter.
class Histogram {
  public:
    Histogram(float low, float high, int per_unit)
        : low_(low), per_unit_(float(per_unit)), counts_(unwanted + std::size_t((high - low) * float(per_unit)) + 1) {}

    /// Where the value belongs. One that is not wanted is counted all the same, in bins of its own: that is cheaper
    /// than a branch for each pixel, and several of them than to wait for the count before.
    KARYON_INLINE static std::int32_t bin(bool wanted, float value, float low, float per_unit, float last, int i) {
        const float bin = (value - low) * per_unit, above = bin < 0 ? 0 : bin, inside = above > last ? last : above;
        return wanted ? unwanted + std::int32_t(inside) : i % unwanted;
    }
    float low() const { return low_; }
    float per_unit() const { return per_unit_; }
    float last() const { return float(counts_.size() - unwanted - 1); }

    void add(int count, const std::int32_t* bins) {
        for (int i = 0; i < count; ++i) ++counts_[std::size_t(bins[i])];
    }
    void merge(const Histogram& other) {
        for (std::size_t i = unwanted; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    }
    /// The value below which that share of the counts lies, linear inside its bin.
    double percentile(double percent) const {
        std::uint64_t total = 0, below = 0;
        for (std::size_t i = unwanted; i < counts_.size(); ++i) total += counts_[i];
        const double wanted = double(total) * percent / 100;
        for (std::size_t i = unwanted; i < counts_.size(); below += counts_[i++])
            if (counts_[i] > 0 && double(below + counts_[i]) >= wanted)
                return double(low_) +
                       (double(i - unwanted) + (wanted - double(below)) / double(counts_[i])) / double(per_unit_);
        return double(low_);
    }

  private:
    static constexpr int unwanted = 16;
    float low_, per_unit_;
    std::vector<std::uint32_t> counts_;  ///< of 2^32 pixels at most
};

/// Fills histograms over all rows, each thread its own, then adds them up. visit(histograms, densities).
template <std::size_t N, typename Visit>
void fill(std::array<Histogram, N>& histograms, const Image& image, Visit visit) {
    const auto empty = histograms;
#pragma omp parallel
    {
        auto mine = empty;
        Densities densities;
#pragma omp for nowait
        for (int y = 0; y < image.height; ++y)
            for_each_run(image, y, densities, [&](const Densities& d) { visit(mine, d); });
#pragma omp critical
        for (std::size_t i = 0; i < N; ++i) histograms[i].merge(mine[i]);
    }
}

struct Moments {
    double count = 0;
    double sum[3] = {};
    double product[6] = {};  ///< rr, rg, rb, gg, gb, bb

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

/// Of the pixels whose least density is beta or more. The sums of a run, of a thousand pixels at most, are floats.
KARYON_SIMD void add_run(const Densities& d, float beta, Moments& moments) {
    float count = 0, r1 = 0, g1 = 0, b1 = 0, rr = 0, rg = 0, rb = 0, gg = 0, gb = 0, bb = 0;
#pragma omp simd reduction(+ : count, r1, g1, b1, rr, rg, rb, gg, gb, bb)
    for (int i = 0; i < d.count; ++i) {
        const float wanted = least(least(d.r[i], d.g[i]), d.b[i]) >= beta ? 1.0f : 0.0f;
        const float r = d.r[i] * wanted, g = d.g[i] * wanted, b = d.b[i] * wanted;
        count += wanted, r1 += r, g1 += g, b1 += b;
        rr += r * r, rg += r * g, rb += r * b, gg += g * g, gb += g * b, bb += b * b;
    }
    moments.add({double(count),
                 {double(r1), double(g1), double(b1)},
                 {double(rr), double(rg), double(rb), double(gg), double(gb), double(bb)}});
}

/// Of the pixels that every channel sees. Rows are summed on their own and added in order: the same for any threads.
Moments moments_of(const Image& image, float beta) {
    std::vector<Moments> rows(std::size_t(image.height));
#pragma omp parallel
    {
        Densities densities;
#pragma omp for
        for (int y = 0; y < image.height; ++y)
            for_each_run(image, y, densities, [&](const Densities& d) { add_run(d, beta, rows[std::size_t(y)]); });
    }
    Moments total;
    for (const Moments& row : rows) total.add(row);
    return total;
}

/// Grows with the angle of (x, y) from -2 to 2 over the full turn, without a trigonometric function.
KARYON_INLINE float diamond_angle(float x, float y) {
    const float x_size = x < 0 ? -x : x, y_size = y < 0 ? -y : y, quarter = y / (x_size + y_size + 1e-30f);
    return x >= 0 ? quarter : (y >= 0 ? 2.0f : -2.0f) - quarter;
}

/// The bins of the angles between the axes, of the pixels that every channel sees.
KARYON_SIMD void angle_bins(const Densities& d, float beta, const float* x_axis, const float* y_axis, float low,
                            float per_unit, float last, std::int32_t* bins) {
#pragma omp simd
    for (int i = 0; i < d.count; ++i) {
        const float r = d.r[i], g = d.g[i], b = d.b[i];
        const float angle =
            diamond_angle(r * x_axis[0] + g * x_axis[1] + b * x_axis[2], r * y_axis[0] + g * y_axis[1] + b * y_axis[2]);
        bins[i] = Histogram::bin(least(least(r, g), b) >= beta, angle, low, per_unit, last, i);
    }
}

/// The bins of the concentration of one stain, of the pixels that are not glass.
KARYON_SIMD void concentration_bins(const Densities& d, float beta, const float* inverse, float low, float per_unit,
                                    float last, std::int32_t* bins) {
#pragma omp simd
    for (int i = 0; i < d.count; ++i) {
        const float r = d.r[i], g = d.g[i], b = d.b[i];
        const float concentration = r * inverse[0] + g * inverse[1] + b * inverse[2];
        bins[i] = Histogram::bin(most(most(r, g), b) >= beta, concentration, low, per_unit, last, i);
    }
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
    fill(angles, image, [&](auto& h, const Densities& d) {
        std::int32_t bins[Densities::most];
        angle_bins(d, options.beta, x_axis.data(), y_axis.data(), h[0].low(), h[0].per_unit(), h[0].last(), bins);
        h[0].add(d.count, bins);
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
    fill(concentrations, image, [&](auto& h, const Densities& d) {
        std::int32_t bins[Densities::most];
        for (std::size_t stain = 0; stain < 2; ++stain) {
            Histogram& of = h[stain];
            concentration_bins(d, options.beta, inverse[stain].data(), of.low(), of.per_unit(), of.last(), bins);
            of.add(d.count, bins);
        }
    });
    for (int s = 0; s < 2; ++s)
        model.max_concentration[s] = float(concentrations[s].percentile(options.max_percentile));
    if (std::min(model.max_concentration[0], model.max_concentration[1]) < 0.02f) return fallback("only one stain");
    return model;
}

}  // namespace karyon
