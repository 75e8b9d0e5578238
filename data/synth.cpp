#include "data/synth.h"

#include <algorithm>
#include <cmath>

#include "data/gaussian_blur.h"
#include "data/synth_tissue.h"
#include "kernels/error.h"

namespace karyon {
namespace {

/// Streams of the seed, so that a change of one part does not change the others.
enum Stream : std::uint64_t { stain_stream = 1, tissue_stream, nucleus_stream, noise_stream };

void check(const SynthConfig& c) {
    if (c.width < 1 || c.height < 1) throw Error("synth", "expected a size from 1x1 up, got {}x{}", c.width, c.height);
    auto in_range = [](const char* name, float value, float low, float high) {
        if (!(value >= low && value <= high))
            throw Error("synth", "{}: expected a value from {} to {}, got {}", name, low, high, value);
    };
    in_range("density", c.density, 0, 100);
    in_range("radius", c.radius, 2, 200);
    in_range("touching", c.touching, 0, 1);
    in_range("lumen", c.lumen, 0, 1);
    in_range("stain_jitter", c.stain_jitter, 0, 0.1f);
    in_range("strength_jitter", c.strength_jitter, 0, 0.3f);
    in_range("blur", c.blur, 0, 10);
    in_range("noise", c.noise, 0, 50);
}

void jitter_stains(StainModel& model, float deviation, Random& random) {
    for (auto& stain : model.stains) {
        double square = 0;
        for (float& component : stain) {
            component = std::max(0.05f, component + deviation * random.normal());
            square += double(component) * component;
        }
        for (float& component : stain) component = float(component / std::sqrt(square));
    }
}

/// The 99th percentile of a concentration over what is not glass.
float full_concentration(std::vector<float> values, const std::vector<float>& lumen) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < values.size(); ++i)
        if (lumen[i] < 0.5f) values[count++] = values[i];
    if (count == 0) return 1;
    const auto rank = values.begin() + std::ptrdiff_t((count - 1) * 99 / 100);
    std::nth_element(values.begin(), rank, values.begin() + std::ptrdiff_t(count));
    return std::max(*rank, 0.01f);
}

/// Transmitted light, [height, width, 3], grey levels.
std::vector<float> transmit(const Tissue& tissue, const StainModel& stains, const float strength[2]) {
    std::vector<float> light(tissue.eosin.size() * 3);
#pragma omp parallel for
    for (std::ptrdiff_t i = 0; i < std::ptrdiff_t(tissue.eosin.size()); ++i)
        for (int c = 0; c < 3; ++c) {
            const float density = strength[0] * tissue.hematoxylin[i] * stains.stains[0][c] +
                                  strength[1] * tissue.eosin[i] * stains.stains[1][c];
            light[3 * i + c] = 256 * std::exp(-density) - 1;
        }
    return light;
}

}  // namespace

SynthImage make_synthetic(const SynthConfig& config, std::uint64_t seed) {
    check(config);
    Random stain_random(seed, stain_stream), tissue_random(seed, tissue_stream), nucleus_random(seed, nucleus_stream);
    SynthImage result;
    result.stains = config.stains;
    jitter_stains(result.stains, config.stain_jitter, stain_random);
    float strength[2];
    for (float& s : strength) s = std::exp(config.strength_jitter * stain_random.normal());

    Tissue tissue = make_tissue(config, tissue_random);
    add_nuclei(tissue, config, nucleus_random);
    result.stains.max_concentration[0] = strength[0] * full_concentration(tissue.hematoxylin, tissue.lumen);
    result.stains.max_concentration[1] = strength[1] * full_concentration(tissue.eosin, tissue.lumen);
    std::vector<float> light = transmit(tissue, result.stains, strength);
    gaussian_blur(light.data(), config.width, config.height, config.blur);
    std::vector<float> noise(light.size());
    fill_normal(noise.data(), noise.size(), 0, config.noise, seed, noise_stream);

    result.image = Image(config.width, config.height);
    for (std::size_t i = 0; i < light.size(); ++i)
        result.image.pixels[i] = std::uint8_t(std::lround(std::clamp(light[i] + noise[i], 0.f, 255.f)));
    result.labels = std::move(tissue.labels);
    result.mask = Mask(config.width, config.height);
    for (std::size_t i = 0; i < result.mask.pixels.size(); ++i) result.mask.pixels[i] = result.labels.ids[i] > 0;
    return result;
}

}  // namespace karyon
