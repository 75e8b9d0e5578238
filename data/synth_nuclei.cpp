#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "data/smooth_field.h"
#include "data/synth_tissue.h"

namespace karyon {
namespace {

constexpr float two_pi = 2 * std::numbers::pi_v<float>;

struct Spot {
    float x, y, radius;  ///< relative to the nucleus
};

/// A deformed ellipse with its chromatin.
struct Nucleus {
    float x, y, long_axis, short_axis, angle;
    std::array<float, 4> wave, phase;  ///< of the outline: harmonics 2 to 5
    float strength, rim, hollow, clumps, eosin;
    std::array<Spot, 2> nucleoli;

    float extent() const { return 1.3f * long_axis; }
    float mean_radius() const { return std::sqrt(long_axis * short_axis); }
};

struct Inside {
    float depth;  ///< pixels from the outline inwards
    float u, v;   ///< place in the ellipse, 1 at the outline
    float radius;
};

Inside locate(const Nucleus& n, int x, int y) {
    const float dx = float(x) - n.x, dy = float(y) - n.y, c = std::cos(n.angle), s = std::sin(n.angle);
    const float u = (c * dx + s * dy) / n.long_axis, v = (c * dy - s * dx) / n.short_axis;
    const float theta = std::atan2(v, u);
    float outline = 1;
    for (int k = 0; k < 4; ++k) outline += n.wave[k] * std::cos(float(k + 2) * theta + n.phase[k]);
    const float radius = std::hypot(u, v);
    return {(outline - radius) * n.short_axis, u, v, radius / outline};
}

template <typename Visit>
void for_each_pixel(const Tissue& tissue, const Nucleus& n, Visit visit) {
    const int reach = int(n.extent()) + 2;
    for (int y = std::max(0, int(n.y) - reach); y <= std::min(tissue.height - 1, int(n.y) + reach); ++y)
        for (int x = std::max(0, int(n.x) - reach); x <= std::min(tissue.width - 1, int(n.x) + reach); ++x)
            visit(tissue.at(x, y), locate(n, x, y));
}

/// Along the level lines of the flow at (x, y).
float fibre_angle(const Tissue& tissue, int x, int y) {
    const int x0 = std::max(0, x - 2), x1 = std::min(tissue.width - 1, x + 2);
    const int y0 = std::max(0, y - 2), y1 = std::min(tissue.height - 1, y + 2);
    const float gx = tissue.flow[tissue.at(x1, y)] - tissue.flow[tissue.at(x0, y)];
    const float gy = tissue.flow[tissue.at(x, y1)] - tissue.flow[tissue.at(x, y0)];
    return std::atan2(gx, -gy);
}

Nucleus draw_nucleus(const Tissue& tissue, const SynthConfig& config, float x, float y, Random& random) {
    const int px = std::clamp(int(x), 0, tissue.width - 1), py = std::clamp(int(y), 0, tissue.height - 1);
    const bool stroma = !random.chance(tissue.epithelium[tissue.at(px, py)]), lymphocyte = random.chance(0.12f);
    const float along = fibre_angle(tissue, px, py) + 0.25f * random.normal();
    const float size = std::exp(0.16f * random.normal()), anywhere = random.uniform() * two_pi;
    const float roundness = random.uniform(0.68f, 0.97f), slimness = random.uniform(0.28f, 0.55f);
    Nucleus n;
    n.x = x, n.y = y;
    const float aspect = lymphocyte ? 0.93f : stroma ? slimness : roundness;
    const float radius = config.radius * size * (lymphocyte ? 0.68f : stroma ? 0.78f : 1);
    n.long_axis = radius / std::sqrt(aspect), n.short_axis = radius * std::sqrt(aspect);
    n.angle = stroma && !lymphocyte ? along : anywhere;
    for (int k = 0; k < 4; ++k) {
        n.wave[k] = (lymphocyte ? 0.015f : 0.045f) / (1 + 0.5f * float(k)) * random.normal();
        n.phase[k] = random.uniform() * two_pi;
    }
    const bool vesicular = random.chance(0.45f) && !lymphocyte && !stroma;
    n.strength = (lymphocyte ? 1.55f : stroma ? 1.2f : vesicular ? 0.85f : 1.1f) * std::exp(0.14f * random.normal());
    n.hollow = vesicular ? 0.4f : 0.12f;
    n.rim = vesicular ? 0.45f : 0.15f;
    n.clumps = random.uniform(0.12f, 0.3f);
    n.eosin = lymphocyte ? 0.02f : random.uniform(0, 0.3f);
    for (Spot& spot : n.nucleoli) {
        const float r = random.uniform(0, 0.5f), a = random.uniform() * two_pi;
        const bool there = random.chance(vesicular ? 0.7f : 0.25f);
        spot = {r * std::cos(a), r * std::sin(a), there ? random.uniform(0.12f, 0.2f) : 0};
    }
    return n;
}

/// Whether there is room: apart from all others by a margin, or, where it may touch, at least 3/4 of it free.
bool fits(const Tissue& tissue, const Nucleus& n, bool may_touch) {
    int all = 0, taken = 0, near = 0;
    for_each_pixel(tissue, n, [&](std::size_t i, Inside p) {
        if (p.depth < -2) return;
        const bool used = tissue.labels.ids[i] > 0;
        near += used;
        if (p.depth >= 0) ++all, taken += used;
    });
    return all >= 20 && (may_touch ? 4 * taken <= all : near == 0);
}

float chromatin(const Nucleus& n, Inside p, float texture) {
    const float rim = std::exp(-(p.depth - 1) * (p.depth - 1) / 2.5f);
    float density = 1 - n.hollow * std::max(0.f, 1 - p.radius * p.radius) + n.rim * rim + n.clumps * texture;
    for (const Spot& spot : n.nucleoli)
        if (spot.radius > 0)
            density += 0.7f * std::exp(-(std::pow(p.u - spot.x, 2.f) + std::pow(p.v - spot.y, 2.f)) /
                                       (spot.radius * spot.radius));
    return n.strength * std::max(0.15f, density);
}

void paint(Tissue& tissue, const Nucleus& n, std::int32_t id, const std::vector<float>& texture) {
    for_each_pixel(tissue, n, [&](std::size_t i, Inside p) {
        const float cover = std::clamp(p.depth + 0.5f, 0.f, 1.f);
        const bool own = tissue.labels.ids[i] == 0;
        if (cover == 0 || !own) return;
        if (p.depth >= 0) tissue.labels.ids[i] = id;
        tissue.hematoxylin[i] += cover * (chromatin(n, p, texture[i]) - tissue.hematoxylin[i]);
        tissue.eosin[i] *= 1 - cover * (1 - n.eosin);
    });
}

}  // namespace

void add_nuclei(Tissue& tissue, const SynthConfig& config, Random& random) {
    const auto texture = fractal_field(tissue.width, tissue.height, 4, 0.8f, 2, random);
    const int tries = int(std::ceil(config.density * float(tissue.width) * float(tissue.height) / 1e4f));
    std::vector<Nucleus> placed;
    for (int i = 0; i < tries; ++i)
        for (int attempt = 0; attempt < 6; ++attempt) {
            float x = random.uniform() * float(tissue.width), y = random.uniform() * float(tissue.height);
            const float direction = random.uniform() * two_pi, keep = random.uniform();
            const bool touch = random.chance(config.touching) && !placed.empty();
            Nucleus n = draw_nucleus(tissue, config, x, y, random);
            if (touch) {
                const Nucleus& other = placed[random.below(std::uint32_t(placed.size()))];
                const float apart = 0.95f * (other.mean_radius() + n.mean_radius());
                n.x = x = std::clamp(other.x + apart * std::cos(direction), 0.f, float(tissue.width) - 1);
                n.y = y = std::clamp(other.y + apart * std::sin(direction), 0.f, float(tissue.height) - 1);
            }
            const std::size_t at = tissue.at(int(x), int(y));
            if (tissue.lumen[at] > 0.3f || keep > 0.35f + 0.65f * tissue.epithelium[at] || !fits(tissue, n, touch))
                continue;
            placed.push_back(n);
            paint(tissue, n, std::int32_t(placed.size()), texture);
            break;
        }
}

}  // namespace karyon
