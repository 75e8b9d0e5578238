#include "data/synth_tissue.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "data/smooth_field.h"

namespace karyon {
namespace {

float smoothstep(float low, float high, float x) {
    const float t = std::clamp((x - low) / (high - low), 0.f, 1.f);
    return t * t * (3 - 2 * t);
}

/// The value that the given share of the field exceeds.
float upper_quantile(std::vector<float> field, float share) {
    const std::size_t rank = std::min(field.size() - 1, std::size_t((1 - share) * float(field.size())));
    std::nth_element(field.begin(), field.begin() + std::ptrdiff_t(rank), field.end());
    return field[rank];
}

/// Red cells lie in the gaps: bright eosin, paler in the middle, no hematoxylin.
void add_red_cells(Tissue& tissue, Random& random) {
    const int tries = int(float(tissue.width) * float(tissue.height) / 900);
    for (int i = 0; i < tries; ++i) {
        const float cx = random.uniform() * float(tissue.width), cy = random.uniform() * float(tissue.height);
        const float radius = random.uniform(5, 7), stretch = random.uniform(0.75f, 1),
                    strength = random.uniform(0.7f, 1);
        const float inside = tissue.lumen[tissue.at(int(cx), int(cy))];
        if (!random.chance(0.35f) || inside < 0.5f) continue;
        for (int y = std::max(0, int(cy - 8)); y < std::min(tissue.height, int(cy + 9)); ++y)
            for (int x = std::max(0, int(cx - 8)); x < std::min(tissue.width, int(cx + 9)); ++x) {
                const float d = std::hypot((float(x) - cx) / stretch, float(y) - cy) / radius;
                const float cover = smoothstep(1.1f, 0.9f, d) * (0.65f + 0.35f * std::min(1.f, d * d * 1.6f));
                float& eosin = tissue.eosin[tissue.at(x, y)];
                eosin = std::max(eosin, cover * strength);
            }
    }
}

}  // namespace

Tissue make_tissue(const SynthConfig& config, Random& random) {
    const int width = config.width, height = config.height;
    Tissue tissue;
    tissue.width = width, tissue.height = height;
    tissue.epithelium = fractal_field(width, height, 130, 1, 2, random);
    tissue.lumen = fractal_field(width, height, 70, 1, 3, random);
    tissue.flow = fractal_field(width, height, 110, 28, 3, random);
    const auto patchy = fractal_field(width, height, 60, 0.13f, 4, random);
    const auto grain = fractal_field(width, height, 5, 0.05f, 2, random);
    const auto strands = fractal_field(width, height, 45, 1, 2, random);
    const auto tangle = fractal_field(width, height, 24, 1, 2, random);
    const float gap = upper_quantile(tissue.lumen, config.lumen),
                angle = random.uniform() * 2 * std::numbers::pi_v<float>;
    const float dx = std::cos(angle), dy = std::sin(angle);
    tissue.hematoxylin.resize(tissue.lumen.size());
    tissue.eosin.resize(tissue.lumen.size());
    tissue.labels = Labels(width, height);

#pragma omp parallel for
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            const std::size_t i = tissue.at(x, y);
            const float epithelium = tissue.epithelium[i] = smoothstep(-0.45f, 0.05f, tissue.epithelium[i]);
            const float lumen = tissue.lumen[i] =
                config.lumen > 0 ? smoothstep(gap - 0.06f, gap + 0.06f, tissue.lumen[i]) : 0;
            const float flow = tissue.flow[i] += dx * float(x) + dy * float(y);
            const float phase = 0.5f * (flow + 4 * tangle[i]);
            const float coarse = 0.5f + 0.5f * std::sin(phase), fine = 0.5f + 0.5f * std::sin(2.7f * phase);
            const float stroma = 1 - epithelium, present = smoothstep(-1.2f, 1.2f, strands[i] + tangle[i]);
            const float fibre = stroma * present * (0.6f * coarse * coarse + 0.4f * fine);
            const float crevice = std::sin(0.3f * phase + 0.8f * tangle[i]) + 0.25f * strands[i];
            const float slit = stroma * smoothstep(0.75f, 1.05f, crevice);
            const float eosin = 0.64f - 0.12f * epithelium + patchy[i] + grain[i] + 0.3f * (fibre - 0.3f);
            const float solid = (1 - lumen) * (1 - 0.85f * slit);
            tissue.eosin[i] = solid * std::max(0.04f, eosin);
            tissue.hematoxylin[i] = solid * epithelium * std::max(0.f, 0.09f + 0.3f * patchy[i] + 0.4f * grain[i]);
        }
    add_red_cells(tissue, random);
    return tissue;
}

}  // namespace karyon
